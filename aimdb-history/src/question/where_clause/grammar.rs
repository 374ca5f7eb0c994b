//! The order of a condition's words.

use aimdb_persistence::question::StoredField;
use serde_json::Value;

use crate::question::where_clause::clause::{Test, WhereClause};
use crate::question::where_clause::mistake::WhereError;
use crate::question::where_clause::words::{Kind, Word, words};

/// Deeper than anybody writes, and shallow enough for any stack.
const MOST_DEPTH: usize = 64;

pub(crate) struct Parser<'t> {
    text: &'t str,
    words: Vec<Word>,
    next: usize,
    depth: usize,
}

/// The signs of a comparison, and what it makes of a value.
type Comparison = (&'static [&'static str], fn(Value) -> Test);

type Parsed = Result<WhereClause, WhereError>;

impl<'t> Parser<'t> {
    pub(crate) fn of(text: &'t str) -> Result<Self, WhereError> {
        Ok(Self {
            text,
            words: words(text)?,
            next: 0,
            depth: 0,
        })
    }

    pub(crate) fn whole(mut self) -> Parsed {
        let clause = self.any()?;
        match self.words.get(self.next) {
            None => Ok(clause),
            Some(_) => Err(self.expected("`and`, `or`, or the end")),
        }
    }

    fn any(&mut self) -> Parsed {
        self.chain(Self::all, &["or", "||"], WhereClause::Any)
    }

    fn all(&mut self) -> Parsed {
        self.chain(Self::not, &["and", "&&"], WhereClause::All)
    }

    fn chain(
        &mut self,
        part: fn(&mut Self) -> Parsed,
        joints: &[&str],
        join: fn(Vec<WhereClause>) -> WhereClause,
    ) -> Parsed {
        let mut parts = vec![part(self)?];
        while joints.iter().any(|joint| self.takes(joint)) {
            parts.push(part(self)?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => join(parts),
        })
    }

    fn not(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(self.error("this is nested too deeply"));
        }
        let clause = if self.takes("not") || self.takes("!") {
            WhereClause::Not(Box::new(self.not()?))
        } else if self.takes("(") {
            let inner = self.any()?;
            self.need(")")?;
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(clause)
    }

    fn test(&mut self) -> Parsed {
        let Some(Word { at, kind }) = self.words.get(self.next).cloned() else {
            return Err(self.expected("a field"));
        };
        let (Kind::Name(name) | Kind::Quoted(name)) = kind else {
            return Err(self.expected("a field"));
        };
        self.next += 1;
        let field = StoredField::parse(&name);
        let (test, negated) = self.test_of_field()?;
        let clause = WhereClause::Field { field, at, test };
        Ok(match negated {
            true => WhereClause::Not(Box::new(clause)),
            false => clause,
        })
    }

    fn test_of_field(&mut self) -> Result<(Test, bool), WhereError> {
        let comparisons: [Comparison; 6] = [
            (&["=", "=="], Test::Equal),
            (&["!=", "<>"], Test::NotEqual),
            (&["<="], Test::LessOrEqual),
            (&[">="], Test::GreaterOrEqual),
            (&["<"], Test::Less),
            (&[">"], Test::Greater),
        ];
        for (signs, test) in comparisons {
            if signs.iter().any(|sign| self.takes(sign)) {
                return Ok((test(self.value()?), false));
            }
        }
        if self.takes("is") {
            let not = self.takes("not");
            self.need("null")?;
            return Ok((Test::IsThere, !not));
        }
        let negated = self.takes("not");
        let test = if self.takes("in") {
            Test::In(self.values()?)
        } else if self.takes("contains") {
            Test::Contains(self.quoted_text()?)
        } else if self.takes("starts") {
            self.takes("with");
            Test::StartsWith(self.quoted_text()?)
        } else if self.takes("ends") {
            self.takes("with");
            Test::EndsWith(self.quoted_text()?)
        } else if negated {
            return Err(self.expected("`in`, `contains`, `starts with` or `ends with`"));
        } else if self.ends_test() {
            Test::Equal(Value::Bool(true))
        } else {
            return Err(self.expected("a comparison such as `>`, `=` or `in`"));
        };
        Ok((test, negated))
    }

    /// Whether a field stands by itself.
    fn ends_test(&self) -> bool {
        match self.words.get(self.next).map(|word| &word.kind) {
            None | Some(Kind::Sign(")" | "&&" | "||")) => true,
            Some(Kind::Name(name)) => ["and", "or"].contains(&&*name.to_lowercase()),
            _ => false,
        }
    }

    fn values(&mut self) -> Result<Vec<Value>, WhereError> {
        self.need("(")?;
        let mut values = vec![self.value()?];
        while self.takes(",") {
            values.push(self.value()?);
        }
        self.need(")")?;
        Ok(values)
    }

    fn value(&mut self) -> Result<Value, WhereError> {
        let value = match self.words.get(self.next).map(|word| &word.kind) {
            Some(Kind::Value(value)) => value.clone(),
            Some(Kind::Name(name)) => match &*name.to_lowercase() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => return Err(self.error("write `is null` or `is not null`")),
                _ => {
                    let reason = format!("a text stands in quotes: '{name}'");
                    return Err(self.error(&reason));
                }
            },
            _ => return Err(self.expected("a number, a text in quotes, `true` or `false`")),
        };
        self.next += 1;
        Ok(value)
    }

    fn quoted_text(&mut self) -> Result<String, WhereError> {
        match self.words.get(self.next).map(|word| &word.kind) {
            Some(Kind::Value(Value::String(text))) => {
                let text = text.clone();
                self.next += 1;
                Ok(text)
            }
            _ => Err(self.expected("a text in quotes")),
        }
    }

    fn need(&mut self, word: &str) -> Result<(), WhereError> {
        match self.takes(word) {
            true => Ok(()),
            false => Err(self.expected(&format!("`{word}`"))),
        }
    }

    /// Goes on if this is the next word.
    fn takes(&mut self, wanted: &str) -> bool {
        let is_next = match self.words.get(self.next).map(|word| &word.kind) {
            Some(Kind::Sign(sign)) => *sign == wanted,
            Some(Kind::Name(name)) => name.eq_ignore_ascii_case(wanted),
            _ => false,
        };
        self.next += usize::from(is_next);
        is_next
    }

    fn expected(&self, what: &str) -> WhereError {
        let reason = match self.words.get(self.next) {
            None => format!("the condition ends too early: {what} is expected"),
            Some(_) => format!("{what} is expected here"),
        };
        self.error(&reason)
    }

    fn error(&self, reason: &str) -> WhereError {
        let at = self.words.get(self.next).map_or(self.text.len(), |w| w.at);
        WhereError::new(self.text, at, reason)
    }
}

#[cfg(test)]
mod tests {
    use aimdb_persistence::question::RowTest;

    use super::*;

    fn holds(condition: &str, json: &str) -> bool {
        let clause = WhereClause::parse(condition).unwrap_or_else(|e| panic!("{e}"));
        RowTest::new::<()>(clause.filter()).unwrap().holds(json)
    }

    #[test]
    fn a_condition_holds_for_the_rows_that_it_describes() {
        let row = r#"{"n":20.5,"on":true,"who":"O'Hara","of":{"a b":null,"c":[1,2]},"and":1}"#;
        for condition in [
            "n > 20",
            "n >= 20.5 and n <= 20.5",
            "not n < 20",
            "!(n = 1 or n == 2) && on",
            "on",
            "who = 'O''Hara'",
            "who = \"O'Hara\"",
            r"who = 'O\'Hara'",
            "who starts with 'O' and who ends with 'ra'",
            "who CONTAINS 'Ha'",
            "who not contains 'x'",
            "n in (1, 20.5)",
            "n not in (1, -2e3)",
            "of.c.1 = 2",
            "`of.a b` is null",
            "nothing IS NULL",
            "n is not null",
            "`and` = 1",
            "n <> 3",
            "n = 1 or n > 2 and n < 30",
        ] {
            assert!(holds(condition, row), "{condition}");
        }
        for condition in ["n > 20.5", "who", "not on", "nothing = 1", "who > 5"] {
            assert!(!holds(condition, row), "{condition}");
        }
    }

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        for (condition, at, part) in [
            ("", 0, "a field is expected"),
            ("n >", 3, "a number, a text in quotes"),
            ("n > warm", 4, "'warm'"),
            ("n ~ 3", 2, "`~` means nothing"),
            ("n > 3 n < 5", 6, "`and`, `or`, or the end"),
            ("(n > 3", 6, "`)`"),
            ("n > 'x", 4, "has no end"),
            ("n > 1x", 4, "is no number"),
            ("n = null", 4, "is null"),
            ("n is 3", 5, "`null`"),
            ("n not 3", 6, "`in`"),
            ("wärme > ü", 9, "'ü'"),
            ("3 > n", 0, "a field"),
        ] {
            let error = WhereClause::parse(condition).unwrap_err();
            assert!(error.reason.contains(part), "{condition}: {error}");
            assert_eq!(error.at, at, "{error}");
            let shown = error.to_string();
            let caret = shown.lines().last().unwrap().chars().count();
            assert_eq!(caret, 2 + condition[..at].chars().count() + 1, "{shown}");
        }
        let deep = "(".repeat(10_000);
        let error = WhereClause::parse(&deep).unwrap_err();
        assert!(error.reason.contains("too deeply"), "{error}");
    }
}
