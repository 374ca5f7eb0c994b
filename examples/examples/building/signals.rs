//! A week of a building, minute by minute: lifelike, and the same in every run.

use fastrand::Rng;

use crate::records::*;

const MINUTES_PER_DAY: u64 = 24 * 60;
const MINUTES: u64 = 7 * MINUTES_PER_DAY;
const MINUTE_MS: u64 = 60_000;

/// What the devices of the building would say. Each walks on from where it was.
pub(crate) struct Building {
    random: Rng,
    celsius: f64,
    humidity: f64,
    ppm: f64,
    counter: f64,
    floor: i8,
}

/// The minutes of the last full week before a time, from Monday on.
pub(crate) fn last_week(now_ms: u64) -> impl Iterator<Item = Minute> {
    // The 1st of January 1970 was a Thursday.
    let days = now_ms / (MINUTES_PER_DAY * MINUTE_MS);
    let this_monday = days - (days + 3) % 7;
    let monday_ms = (this_monday - 7) * MINUTES_PER_DAY * MINUTE_MS;
    (0..MINUTES).map(move |index| Minute { index, monday_ms })
}

/// A minute of the week.
#[derive(Clone, Copy)]
pub(crate) struct Minute {
    index: u64,
    monday_ms: u64,
}

impl Minute {
    pub(crate) fn at_ms(self) -> u64 {
        self.monday_ms + self.index * MINUTE_MS
    }

    /// From 0 to 24.
    fn hour(self) -> f64 {
        (self.index % MINUTES_PER_DAY) as f64 / 60.0
    }

    fn is_working(self) -> bool {
        self.index / MINUTES_PER_DAY < 5 && (8.0..18.0).contains(&self.hour())
    }
}

impl Building {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            celsius: 19.0,
            humidity: 40.0,
            ppm: 420.0,
            counter: 12_345.0,
            floor: 0,
        }
    }

    /// Noise around 0, mostly small.
    fn noise(&mut self, width: f64) -> f64 {
        (self.random.f64() + self.random.f64() + self.random.f64() - 1.5) * width
    }

    pub(crate) fn climate(&mut self, minute: Minute) -> Climate {
        let target = if minute.is_working() { 21.5 } else { 18.0 };
        self.celsius += (target - self.celsius) * 0.02 + self.noise(0.04);
        self.humidity += (40.0 - self.humidity) * 0.01 + self.noise(0.3);
        Climate {
            celsius: tenths(self.celsius),
            humidity: tenths(self.humidity),
            at: (minute.at_ms() / 1_000) as u32,
        }
    }

    pub(crate) fn carbon_dioxide(&mut self, minute: Minute) -> CarbonDioxide {
        let target = if minute.is_working() { 950.0 } else { 420.0 };
        self.ppm += (target - self.ppm) * 0.02 + self.noise(6.0);
        CarbonDioxide(self.ppm.round() as u16, minute.at_ms())
    }

    pub(crate) fn motion(&mut self, minute: Minute) -> Motion {
        // People stay for half an hour, and the sensor is asked every minute.
        let present = minute.is_working() && (minute.index / 30) % 4 != 3;
        Motion {
            occupied: present,
            at: minute.at_ms(),
        }
    }

    pub(crate) fn set_point(&mut self, minute: Minute) -> SetPoint {
        let celsius = if minute.is_working() { 21.5 } else { 17.0 };
        SetPoint {
            celsius,
            at: minute.at_ms(),
        }
    }

    /// The events of a minute, some of them twice.
    pub(crate) fn door(&mut self, minute: Minute) -> Vec<Door> {
        let is_used = minute.is_working() && self.random.u8(..) < 40;
        if !is_used {
            return Vec::new();
        }
        let badge = self.random.u32(1..60);
        let at = minute.at_ms() + self.random.u64(..30_000);
        let opened = Door::Opened { badge, at };
        let closed = Door::Closed { at: at + 4_000 };
        match self.random.u8(..) < 25 {
            true => vec![opened.clone(), opened, closed],
            false => vec![opened, closed],
        }
    }

    pub(crate) fn energy(&mut self, minute: Minute) -> Energy {
        let kilowatts = if minute.is_working() { 40.0 } else { 6.0 };
        self.counter += (kilowatts + self.noise(4.0)).max(0.0) / 60.0;
        Energy {
            counter: (self.counter * 1_000.0).round() / 1_000.0,
            at: minute.at_ms(),
        }
    }

    pub(crate) fn mains(&mut self, minute: Minute) -> Mains {
        // A compressor starts now and then.
        let dip = if self.random.u16(..) < 200 { 9.0 } else { 0.0 };
        Mains {
            line_voltage: tenths(230.0 - dip + self.noise(0.9)),
            measured_at: minute.at_ms(),
        }
    }

    /// Where the lift is every six seconds.
    pub(crate) fn lift(&mut self, minute: Minute) -> Vec<Lift> {
        let is_used = minute.is_working();
        let report = |tenth: u64| {
            if is_used && self.random.u8(..) < 50 {
                self.floor = self.random.i8(-1..=5);
            }
            Lift {
                floor: self.floor,
                at: minute.at_ms() + tenth * 6_000,
            }
        };
        (0..10).map(report).collect()
    }

    pub(crate) fn alarm(&mut self, minute: Minute) -> Option<Alarm> {
        (minute.index % 2_879 == 1_234).then(|| Alarm {
            message: "smoke detector 3: battery low".to_owned(),
            at: minute.at_ms(),
        })
    }

    pub(crate) fn firmware(&mut self, minute: Minute) -> Firmware {
        // Updated on Wednesday night.
        let release = if minute.index < 2 * MINUTES_PER_DAY + 120 {
            (2, 3)
        } else {
            (2, 4)
        };
        Firmware {
            release,
            uptime_s: minute.index * 60,
        }
    }

    /// Every six hours the forecast of the next day, hour by hour.
    pub(crate) fn forecast(&mut self, minute: Minute) -> Vec<Forecast> {
        if !minute.index.is_multiple_of(360) {
            return Vec::new();
        }
        let hour_s = minute.at_ms() / 1_000;
        let of_hour = |hour: u64| Forecast {
            celsius: tenths(4.0 + self.noise(3.0)),
            valid_for: hour_s + hour * 3_600,
        };
        (0..24).map(of_hour).collect()
    }

    pub(crate) fn gateway(&mut self, minute: Minute) -> Gateway {
        Gateway {
            disk_used: tenths(31.0 + minute.index as f64 / 2_000.0),
            uptime_s: minute.index * 60,
        }
    }
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
