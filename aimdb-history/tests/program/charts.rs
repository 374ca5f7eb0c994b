//! `plot`.

use crate::support::{Outcome, files, run, weather};

#[test]
fn a_curve_is_drawn_in_characters_with_its_times_below() {
    let plot = [
        "plot",
        "temperature.*",
        "celsius",
        "--height",
        "8",
        "--width",
        "70",
    ];
    let drawn = run(weather(), &plot).ok();
    assert!(
        drawn.starts_with("temperature.seattle  celsius °C\n"),
        "{drawn}"
    );
    assert!(
        drawn.contains("\n\ntemperature.sf  celsius °C\n"),
        "{drawn}"
    );
    assert!(
        drawn.lines().all(|line| line.chars().count() <= 70),
        "{drawn}"
    );
    let times = drawn.lines().last().unwrap();
    assert!(
        times.trim_start().starts_with("2010-01-01 00:00:00"),
        "{drawn}"
    );
    assert!(times.ends_with("2010-12-31 23:00:00"), "{drawn}");
}

#[test]
fn a_picture_has_a_curve_for_each_series() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("year.svg");
    let svg = path.to_str().unwrap();
    run(
        weather(),
        &["plot", "temperature.*", "celsius", "--svg", svg],
    )
    .ok();
    let content = std::fs::read_to_string(&path)?;
    assert!(content.starts_with("<svg ") && content.ends_with("</svg>\n"));
    assert!(content.contains(">temperature.sf</text>"), "its name");
    assert_eq!(
        content.matches("stroke-width=\"1.5\"").count(),
        2,
        "two curves"
    );
    let again = run(
        weather(),
        &["plot", "temperature.*", "celsius", "--svg", svg],
    )
    .failed(1);
    assert!(again.contains("there is a file already"), "{again}");
    assert_eq!(files(folder.path()), ["year.svg"]);
    Ok(())
}

#[cfg(feature = "png")]
#[test]
fn a_picture_as_png_is_one() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("year.png");
    let png = path.to_str().unwrap();
    run(
        weather(),
        &["plot", "temperature.sf", "celsius", "--png", png],
    )
    .ok();
    assert!(std::fs::read(&path)?.starts_with(b"\x89PNG\r\n"));
    Ok(())
}
