//! A chart as SVG.

use std::fmt::Write;

use crate::chart::curve::Curve;
use crate::chart::layout::{Anchor, HEIGHT, Layout, WIDTH};
use crate::question::Clock;

/// The curves with a title, axes and their names. `None` without points.
pub fn svg(title: &str, curves: &[Curve], clock: &Clock) -> Option<String> {
    let layout = Layout::of(title, curves, clock)?;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for [(x1, y1), (x2, y2)] in &layout.grid {
        line(
            &mut svg,
            format_args!(
                "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" stroke=\"#ddd\" fill=\"none\"/>"
            ),
        );
    }
    for (points, colour) in &layout.curves {
        let mut path = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            // Writing into a text cannot fail.
            let _ = write!(path, "{command}{x:.1} {y:.1}");
        }
        let colour = hex(*colour);
        line(
            &mut svg,
            format_args!(
                "<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"1.5\" stroke-linecap=\"round\" fill=\"none\"/>"
            ),
        );
    }
    for label in &layout.labels {
        let anchor = match label.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, text, colour) = (label.x, label.y, escaped(&label.text), hex(label.colour));
        line(
            &mut svg,
            format_args!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>"
            ),
        );
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

fn line(svg: &mut String, element: std::fmt::Arguments<'_>) {
    // Writing into a text cannot fail.
    let _ = writeln!(svg, "{element}");
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
