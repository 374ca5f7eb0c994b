use super::*;

const ALL: [Purpose; 7] = [
    Purpose::Retention,
    Purpose::MinInterval,
    Purpose::MaxSilence,
    Purpose::RestoreAge,
    Purpose::Packing,
    Purpose::Span,
    Purpose::BucketWidth,
];

/// Each text is refused for this purpose, with a message that contains this.
fn assert_refused(purpose: Purpose, mistakes: &[(&str, &str)]) {
    for (text, advice) in mistakes {
        let error = match purpose {
            Purpose::Retention => parse_retention(text).unwrap_err(),
            _ => parse_ms(text, purpose).unwrap_err(),
        };
        let message = error.to_string();
        assert!(message.contains(advice), "{text:?}: {message}");
    }
}

#[test]
fn a_whole_number_and_a_unit_is_a_length_of_time_for_every_purpose() {
    for (text, length_ms) in [
        ("90s", 90_000),
        ("15m", 900_000),
        ("12h", 43_200_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
    ] {
        for purpose in ALL {
            assert_eq!(parse_ms(text, purpose), Ok(length_ms), "{text}");
        }
    }
}

#[test]
fn a_year_is_365_days_but_for_buckets() {
    for purpose in ALL {
        let year = parse_ms("1y", purpose);
        match purpose {
            Purpose::BucketWidth => assert!(year.is_err()),
            _ => assert_eq!(year, Ok(31_536_000_000)),
        }
    }
}

#[test]
fn milliseconds_are_for_all_but_a_retention_and_an_age_to_pack() {
    for purpose in ALL {
        let half_a_second = parse_ms("500ms", purpose);
        match purpose {
            Purpose::Retention | Purpose::Packing => assert!(half_a_second.is_err()),
            _ => assert_eq!(half_a_second, Ok(500)),
        }
    }
}

#[test]
fn only_a_retention_may_be_forever() {
    assert_eq!(parse_retention("forever"), Ok(Retention::Forever));
    assert_eq!(
        parse_retention("7d"),
        Ok(Retention::Milliseconds(604_800_000))
    );
    for (purpose, advice) in [
        (Purpose::MinInterval, "a whole number and a unit"),
        (Purpose::MaxSilence, "remove `max_silence`"),
        (Purpose::RestoreAge, "write `restore` alone"),
        (Purpose::Packing, "write `pack = \"never\"`"),
        (Purpose::Span, "leave the step out"),
        (Purpose::BucketWidth, "leave `every` out"),
    ] {
        assert_refused(purpose, &[("forever", advice), ("Forever", advice)]);
    }
}

#[test]
fn a_length_is_described_in_its_largest_unit() {
    for text in ["500ms", "90s", "15m", "25h", "8d", "2w", "1y"] {
        let length_ms = parse_ms(text, Purpose::MinInterval).expect("a length of time");
        assert_eq!(describe_ms(length_ms), text);
    }
}

#[test]
fn a_mistake_in_a_retention_says_what_to_write() {
    assert_refused(
        Purpose::Retention,
        &[
            (
                "",
                "a retention must not be empty; write how long to keep rows, such as `\"7d\"`, or `\"forever\"`",
            ),
            ("7", "write `\"7d\"` for days"),
            ("d", "whole number and a unit"),
            ("0s", "expire at once"),
            ("0d", "expire at once"),
            ("-7d", "negative"),
            ("+7d", "write `\"7d\"`, without a sign"),
            (" 7d", "write `\"7d\"`, without spaces"),
            (" 7 days", "write `\"7d\"`, without spaces"),
            ("+7 days", "write `\"7d\"`, without a sign"),
            ("0 days", "expire at once"),
            ("7 d", "write `\"7d\"`"),
            ("7d ", "write `\"7d\"`"),
            ("7 days", "write `\"7d\"`"),
            ("7D", "write `\"7d\"`"),
            ("30S", "write `\"30s\"`"),
            ("15min", "write `\"15m\"`"),
            ("15mins", "write `\"15m\"`"),
            ("1.5h", "fractions"),
            ("1h30m", "one whole number and one unit"),
            ("500ms", "smallest unit is the second"),
            ("500us", "smallest unit is the second"),
            ("Forever", "write `\"forever\"`"),
            (" forever ", "write `\"forever\"`"),
            ("7q", "`q` is not a unit"),
            ("7d\u{0}", "`7d\\0` is not a retention"),
            ("99999999999999999999s", "write `\"forever\"`"),
            ("584942418y", "write `\"forever\"`"),
        ],
    );
}

#[test]
fn a_mistake_in_a_shorter_time_says_what_to_write_there() {
    let mistakes = [
        (
            "",
            "must not be empty; write how far apart rows are at least, such as `\"10s\"`",
        ),
        ("10", "write `\"10s\"` for seconds"),
        ("0ms", "leave nothing out"),
        (
            "forever",
            "whole number and a unit, such as `\"10s\"`; the units are `ms`",
        ),
        ("5MS", "write `\"5ms\"`"),
        ("5 milliseconds", "write `\"5ms\"`"),
        ("5us", "smallest unit is the millisecond"),
        ("99999999999999999999s", "longer than 64 bits"),
    ];
    assert_refused(Purpose::MinInterval, &mistakes);
    for (text, _) in mistakes {
        let message = parse_ms(text, Purpose::MinInterval)
            .unwrap_err()
            .to_string();
        assert!(!message.contains("\"forever\""), "{message}");
    }
}

#[test]
fn a_mistake_in_a_query_says_what_to_write_there() {
    assert_refused(
        Purpose::Span,
        &[
            ("", "a length of time must not be empty"),
            (
                "24 hours",
                "`24 hours` is not a length of time: write `24h`",
            ),
            ("24", "write `24h` for hours"),
            ("h", "a whole number and a unit"),
            ("-1h", "negative"),
            ("3 fortnights", "`fortnights` is not a unit"),
            ("0s", "no time passes in it"),
        ],
    );
    assert_refused(
        Purpose::BucketWidth,
        &[
            ("", "a width of buckets must not be empty"),
            ("15", "write `15m` for minutes"),
            ("0m", "buckets of no length hold no rows"),
            (
                "15q",
                "the units are `ms`, `s`, `m` (minutes), `h`, `d` and `w`",
            ),
        ],
    );
}

#[test]
fn months_are_told_from_minutes_for_every_purpose() {
    for purpose in ALL {
        for (text, days) in [
            ("1M", "30d"),
            ("3M", "90d"),
            ("1month", "30d"),
            ("2 Months", "60d"),
        ] {
            let error = parse_ms(text, purpose).unwrap_err();
            assert!(matches!(error.problem(), Problem::Months { .. }), "{error}");
            let message = error.to_string();
            assert!(message.contains("months differ in length"), "{message}");
            assert!(message.contains("`m` is minutes"), "{message}");
            assert!(message.contains(days), "{message}");
        }
        assert_eq!(parse_ms("1m", purpose), Ok(60_000));
    }
    for text in ["1M", "1month"] {
        assert_refused(
            Purpose::BucketWidth,
            &[(text, "every_calendar(Calendar::Month, …)")],
        );
    }
}

#[test]
fn buckets_of_years_are_those_of_a_calendar() {
    for (text, days) in [("1y", "365d"), ("2 years", "730d"), ("1Y", "365d")] {
        assert_refused(
            Purpose::BucketWidth,
            &[
                (text, "years differ in length"),
                (text, days),
                (text, "every_calendar(Calendar::Year, …)"),
            ],
        );
    }
}

#[test]
fn what_a_message_advises_is_accepted() {
    let texts = [
        "",
        "7",
        "d",
        "0s",
        "-7d",
        "+7d",
        " 7d",
        "7 days",
        " 7 days",
        "+7 days",
        "+7x",
        "0 days",
        "1.5h",
        "1h30m",
        "3M",
        "1 month",
        "1 year",
        "5us",
        "7q",
        "99999999999999999999M",
    ];
    for purpose in ALL {
        for text in texts {
            let Err(error) = parse_ms(text, purpose) else {
                continue;
            };
            let message = error.to_string();
            let (_, advice) = message.split_once("write ").unwrap_or_default();
            let codes = advice.split('`').skip(1).step_by(2);
            for code in codes.map(|code| code.trim_matches('"')) {
                let is_length = code.starts_with(|c: char| c.is_ascii_digit());
                assert!(!is_length || parse_ms(code, purpose).is_ok(), "{message}");
                assert!(code != "forever" || purpose.takes_forever(), "{message}");
            }
        }
    }
}

#[test]
fn the_longest_is_the_last_that_64_bits_of_milliseconds_hold() {
    let longest_s = u64::MAX / 1_000;
    assert_eq!(
        parse_ms(&format!("{longest_s}s"), Purpose::Retention),
        Ok(longest_s * 1_000)
    );
    assert!(parse_ms(&format!("{}s", longest_s + 1), Purpose::Retention).is_err());
    assert_eq!(
        parse_ms("18446744073709551615ms", Purpose::Span),
        Ok(u64::MAX)
    );
}
