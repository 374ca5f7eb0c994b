//! One place of all rows.

use crate::chunk::Chunk;
use crate::error::PackedError;
use crate::read::place::Place;
use crate::read::value::Value;
use crate::tree::Kind;

/// What the rows hold at a place. What it has decoded is kept for the rows beside.
#[derive(Debug)]
pub struct Column<'c> {
    /// The objects on the way.
    way: Vec<Place<'c>>,
    /// The place itself; `None` where no row has it among its columns.
    place: Option<Place<'c>>,
    text: Vec<u8>,
}

impl Chunk {
    /// What the rows hold at the place that the names lead to.
    pub fn column<'n>(&self, path: impl IntoIterator<Item = &'n str>) -> Column<'_> {
        Column::new(self, path)
    }
}

impl<'c> Column<'c> {
    fn new<'n>(chunk: &'c Chunk, path: impl IntoIterator<Item = &'n str>) -> Self {
        let mut node = Some(&chunk.root);
        let mut way = Vec::new();
        for wanted in path {
            let Some(outer) = node else { break };
            way.push(Place::alone(chunk, outer));
            let found = outer.members.iter().find(|(name, _)| name == wanted);
            node = found.map(|(_, inner)| inner);
        }
        // Where all rows are objects, a value's number is that of its row.
        let is_object = |outer: &Place<'_>| outer.is_only(Kind::Object);
        if node.is_some() && way.iter().all(is_object) {
            way.clear();
        }
        Self {
            way,
            place: node.map(|node| Place::new(chunk, node)),
            text: Vec::new(),
        }
    }

    /// What row `row` holds there.
    ///
    /// # Errors
    /// If there is no such row, or the chunk was written wrongly.
    #[inline]
    pub fn get(&mut self, row: usize) -> Result<Value<'_>, PackedError> {
        let mut index = row;
        for outer in &mut self.way {
            match outer.kind(index)? {
                (Kind::Object, rank) => index = rank,
                (Kind::Array | Kind::List | Kind::Raw, _) => return Ok(Value::InText),
                _ => return Ok(Value::Missing),
            }
        }
        let Some(place) = &mut self.place else {
            return Ok(Value::Missing);
        };
        let (kind, rank) = place.kind(index)?;
        Ok(match kind {
            Kind::Missing => Value::Missing,
            Kind::Null => Value::Null,
            Kind::False => Value::Bool(false),
            Kind::True => Value::Bool(true),
            Kind::Integer => Value::Integer(place.integer(rank)?),
            Kind::Unsigned => Value::Unsigned(place.unsigned(rank)?),
            Kind::Decimal => {
                let (digits, places) = place.decimal(rank)?;
                Value::Decimal { digits, places }
            }
            Kind::Float => Value::Float(place.float(rank)?),
            Kind::Text => {
                self.text.clear();
                place.put_text(rank, &mut self.text)?;
                Value::Text(as_text(&self.text)?)
            }
            Kind::Raw | Kind::Array | Kind::List | Kind::Object => {
                self.text.clear();
                place.put(index, &mut self.text)?;
                Value::Json(as_text(&self.text)?)
            }
        })
    }
}

fn as_text(bytes: &[u8]) -> Result<&str, PackedError> {
    std::str::from_utf8(bytes).map_err(|_| PackedError::Damaged("a text is not UTF-8"))
}
