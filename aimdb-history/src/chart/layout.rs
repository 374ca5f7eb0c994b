//! Where everything stands in a picture.

use crate::chart::curve::{Curve, Extent, extents, time_marks};
use crate::question::Clock;

/// A picture of this size.
pub(crate) const WIDTH: f64 = 1_000.0;
pub(crate) const HEIGHT: f64 = 500.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 40.0;
const TIMES: usize = 5;

/// Distinct for the colour-blind (Okabe and Ito).
pub(crate) const COLOURS: [[u8; 3]; 7] = [
    [0, 114, 178],
    [230, 159, 0],
    [0, 158, 115],
    [213, 94, 0],
    [204, 121, 167],
    [86, 180, 233],
    [0, 0, 0],
];

/// How a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) anchor: Anchor,
    pub(crate) text: String,
    pub(crate) colour: [u8; 3],
}

/// A picture's parts with their places.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub(crate) labels: Vec<Label>,
    /// Lines of the grid, from one point to another.
    pub(crate) grid: Vec<[(f64, f64); 2]>,
    pub(crate) curves: Vec<DrawnCurve>,
}

/// A curve's points, and its colour.
pub(crate) type DrawnCurve = (Vec<(f64, f64)>, [u8; 3]);

impl Layout {
    /// `None` without points.
    pub(crate) fn of(title: &str, curves: &[Curve], clock: &Clock) -> Option<Self> {
        let (times, numbers) = extents(curves)?;
        let mut layout = Self {
            labels: vec![label(LEFT, TOP - 22.0, Anchor::Start, title, [0, 0, 0])],
            grid: Vec::new(),
            curves: Vec::new(),
        };
        layout.axes(times, numbers, clock);
        let mut x = WIDTH - RIGHT;
        for (index, curve) in curves.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let place =
                |(ms, number): &(u64, f64)| (x_of(times, *ms as f64), y_of(numbers, *number));
            layout
                .curves
                .push((curve.points.iter().map(place).collect(), colour));
            let name = &curve.record_name;
            layout
                .labels
                .push(label(x, TOP - 22.0, Anchor::End, name, colour));
            x -= 9.0 * name.chars().count() as f64 + 20.0;
        }
        Some(layout)
    }

    fn axes(&mut self, times: Extent, numbers: Extent, clock: &Clock) {
        let grey = [90, 90, 90];
        for mark in numbers.round_marks() {
            let y = y_of(numbers, mark);
            self.grid.push([(LEFT, y), (WIDTH - RIGHT, y)]);
            let text = crate::output::Cell::Number(mark).for_people(clock);
            self.labels
                .push(label(LEFT - 8.0, y + 4.0, Anchor::End, &text, grey));
        }
        let marks = time_marks(times, TIMES);
        for (index, ms) in marks.iter().enumerate() {
            let x = x_of(times, *ms as f64);
            self.grid.push([(x, TOP), (x, HEIGHT - BOTTOM)]);
            let anchor = match index {
                0 => Anchor::Start,
                _ if index + 1 == marks.len() => Anchor::End,
                _ => Anchor::Middle,
            };
            let text = clock.show(ms - ms % 1_000);
            self.labels
                .push(label(x, HEIGHT - BOTTOM + 20.0, anchor, &text, grey));
        }
    }
}

fn label(x: f64, y: f64, anchor: Anchor, text: &str, colour: [u8; 3]) -> Label {
    Label {
        x,
        y,
        anchor,
        text: text.to_owned(),
        colour,
    }
}

fn x_of(times: Extent, ms: f64) -> f64 {
    LEFT + times.part(ms) * (WIDTH - LEFT - RIGHT)
}

fn y_of(numbers: Extent, number: f64) -> f64 {
    HEIGHT - BOTTOM - numbers.part(number) * (HEIGHT - TOP - BOTTOM)
}
