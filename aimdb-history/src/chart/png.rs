//! A chart as PNG.

use font8x8::UnicodeFonts;
use tiny_skia::{Color, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform};

use crate::chart::curve::Curve;
use crate::chart::layout::{Anchor, HEIGHT, Label, Layout, WIDTH};
use crate::question::Clock;

/// The curves with a title, axes and their names. `None` without points.
pub fn png(title: &str, curves: &[Curve], clock: &Clock) -> Option<Vec<u8>> {
    let layout = Layout::of(title, curves, clock)?;
    let mut picture = Pixmap::new(WIDTH as u32, HEIGHT as u32)?;
    picture.fill(Color::WHITE);
    for line in &layout.grid {
        draw(&mut picture, line, [221, 221, 221], 1.0);
    }
    for (points, colour) in &layout.curves {
        draw(&mut picture, points, *colour, 1.5);
    }
    for label in &layout.labels {
        write(&mut picture, label);
    }
    picture.encode_png().ok()
}

fn paint([red, green, blue]: [u8; 3]) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

fn draw(picture: &mut Pixmap, points: &[(f64, f64)], colour: [u8; 3], width: f32) {
    let mut path = PathBuilder::new();
    for (index, (x, y)) in points.iter().enumerate() {
        match index {
            0 => path.move_to(*x as f32, *y as f32),
            _ => path.line_to(*x as f32, *y as f32),
        }
    }
    // A single point is no line.
    if let Some(path) = path.finish() {
        let stroke = Stroke {
            width,
            ..Stroke::default()
        };
        let paint = paint(colour);
        picture.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
    }
}

/// A picture knows no fonts of the system, so that it looks the same everywhere.
const GLYPH: f64 = 8.0;

fn write(picture: &mut Pixmap, label: &Label) {
    let width = GLYPH * label.text.chars().count() as f64;
    let start = match label.anchor {
        Anchor::Start => label.x,
        Anchor::Middle => label.x - width / 2.0,
        Anchor::End => label.x - width,
    };
    let paint = paint(label.colour);
    for (index, character) in label.text.chars().enumerate() {
        let fonts = [
            font8x8::BASIC_FONTS.get(character),
            font8x8::LATIN_FONTS.get(character),
            font8x8::GREEK_FONTS.get(character),
            font8x8::BASIC_FONTS.get('?'),
        ];
        let Some(glyph) = fonts.into_iter().flatten().next() else {
            continue;
        };
        for (row, bits) in glyph.iter().enumerate() {
            for column in (0..8).filter(|column| bits & (1 << column) != 0) {
                let x = (start + GLYPH * index as f64).round() as f32 + column as f32;
                let y = (label.y - GLYPH).round() as f32 + row as f32;
                if let Some(pixel) = Rect::from_xywh(x, y, 1.0, 1.0) {
                    picture.fill_rect(pixel, &paint, Transform::identity(), None);
                }
            }
        }
    }
}
