//! Charts: in the terminal, as SVG, and as PNG.

mod curve;
mod layout;
#[cfg(feature = "png")]
mod png;
mod svg;
mod terminal;

pub use self::curve::{Curve, curves};
#[cfg(feature = "png")]
pub use self::png::png;
pub use self::svg::svg;
pub use self::terminal::draw;
