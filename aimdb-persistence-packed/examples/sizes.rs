//! What rows take in packed form, and how long packing and reading take.
//!
//! `cargo run --release -p aimdb-persistence-packed --example sizes -- FILE…` packs files with one row a line, tab-separated:
//! series, Unix milliseconds, JSON. Without a file it packs series that it makes up.

use std::error::Error;
use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use aimdb_persistence_packed::{Chunk, Filling, RowIn, Value};

/// As many rows as a made-up series has.
const ROWS: u64 = 100_000;

/// A column is read so often, since that takes so little.
const TURNS: usize = 50;

type Rows = Vec<(u64, String)>;

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<_> = std::env::args().skip(1).collect();
    println!(
        "{:32} {:>7} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "series", "rows", "chunk", "body", "stats", "pages", "pack", "read"
    );
    println!(
        "{:32} {:>7} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "", "rows", "bytes/row", "bytes/row", "bytes/row", "µs/row", "µs/row"
    );
    for file in &files {
        report(file, &read(file)?)?;
    }
    if files.is_empty() {
        report("two wandering decimals", &wandering())?;
        report("the benchmarks' reading", &readings())?;
        report("a meter of 13 fields", &meter())?;
    }
    Ok(())
}

fn read(file: &str) -> Result<Rows, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let row = |line: &str| {
        let mut parts = line.splitn(3, '\t').skip(1);
        let time = parts.next()?.parse().ok()?;
        Some((time, parts.next()?.to_owned()))
    };
    let rows: Option<Rows> = text.lines().map(row).collect();
    rows.ok_or_else(|| format!("{file} has a line that is no row").into())
}

fn report(name: &str, texts: &Rows) -> Result<(), Box<dyn Error>> {
    let rows: Vec<_> = (1_u64..)
        .zip(texts)
        .map(|(sequence, (stored_at, text))| RowIn {
            stored_at: *stored_at,
            sequence: sequence * 100,
            version: 0,
            text,
        })
        .collect();
    let (mut filling, mut chunks, mut at) = (Filling::new(), Vec::new(), 0);
    let packing = busy();
    while at < rows.len() {
        let filled = filling.fill(&rows[at..])?;
        at += filled.packed.rows;
        chunks.push(filled.packed);
    }
    let packing = busy() - packing;
    let body: usize = chunks.iter().map(|chunk| chunk.body.len()).sum();
    let statistics: usize = chunks.iter().map(|chunk| chunk.statistics.len()).sum();
    let pages = |bytes: usize| bytes.div_ceil(4_050) * 4_096;
    let pages: usize = chunks
        .iter()
        .map(|chunk| pages(chunk.body.len() + chunk.statistics.len()))
        .sum();
    let reading = busy();
    let mut length = 0;
    for packed in &chunks {
        let chunk = Chunk::open(packed.body.as_slice())?;
        let mut reader = chunk.reader();
        for row in 0..chunk.rows() {
            length += reader.text(row)?.len();
        }
    }
    let reading = busy() - reading;
    assert_eq!(
        length,
        texts.iter().map(|(_, text)| text.len()).sum::<usize>()
    );
    let each = |whole: f64| whole / rows.len() as f64;
    println!(
        "{:32} {:>7} {:>6} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>9.3}",
        name.rsplit('/').next().unwrap_or(name),
        rows.len(),
        rows.len() / chunks.len(),
        each(body as f64),
        each(statistics as f64),
        each(pages as f64),
        each(packing.as_secs_f64() * 1e6),
        each(reading.as_secs_f64() * 1e6),
    );
    columns(&chunks, texts)
}

/// The time that one value of a column takes.
fn columns(
    chunks: &[aimdb_persistence_packed::Packed],
    texts: &Rows,
) -> Result<(), Box<dyn Error>> {
    let Some(name) = texts.first().and_then(|(_, text)| text.split('"').nth(1)) else {
        return Ok(());
    };
    let chunks = chunks
        .iter()
        .map(|packed| Chunk::open(packed.body.as_slice()));
    let chunks: Vec<_> = chunks.collect::<Result<_, _>>()?;
    let reading = busy();
    let (mut sum, mut count) = (0.0, 0);
    for chunk in chunks.iter().cycle().take(chunks.len() * TURNS) {
        let mut column = chunk.column([name]);
        for row in 0..chunk.rows() {
            match column.get(row)? {
                Value::Integer(value) => sum += value as f64,
                Value::Decimal { digits, places } => sum += digits as f64 / POWERS[places as usize],
                Value::Float(value) => sum += value,
                _ => {}
            }
            count += 1;
        }
    }
    let each = (busy() - reading).as_secs_f64() * 1e9 / f64::from(count);
    println!(
        "    {name}: {each:.2} ns a value, mean {:.3}",
        sum / f64::from(count)
    );
    Ok(())
}

const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// How long this thread has kept the processor busy; where the system does not tell, how long it has run.
fn busy() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// Random numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % most
    }

    /// Around 0, as the sum of a few throws is.
    fn around(&mut self, width: u64) -> i64 {
        let throws: u64 = (0..4).map(|_| self.below(width)).sum();
        throws as i64 - 2 * (width as i64 - 1)
    }
}

const START_MS: u64 = 1_700_000_000_000;

/// Every ten seconds, some 5 ms late.
fn time(row: u64, random: &mut Random) -> u64 {
    START_MS + row * 10_000 + random.below(6)
}

fn wandering() -> Rows {
    let mut random = Random(7);
    let (mut celsius, mut percent) = (2_153_i64, 482_i64);
    let row = |row| {
        celsius += random.around(4);
        percent = (percent + random.around(2)).clamp(0, 1_000);
        let (celsius, percent) = (celsius as f64 / 100.0, percent as f64 / 10.0);
        (
            time(row, &mut random),
            format!(r#"{{"celsius":{celsius:?},"percent":{percent:?}}}"#),
        )
    };
    (0..ROWS).map(row).collect()
}

/// As the project's benchmarks have them, of one series of a hundred: nine distinct values.
fn readings() -> Rows {
    let mut random = Random(9);
    let row = |row: u64| {
        let n = row * 100 + 7;
        let hundredths = 1_000 + (n.wrapping_mul(7_919) % 900) * 10 + 1 + n % 9;
        let tenths = 100 + n.wrapping_mul(104_729) % 900;
        let (celsius, humidity) = (hundredths as f64 / 100.0, tenths as f64 / 10.0);
        (
            time(row, &mut random),
            format!(r#"{{"celsius":{celsius:?},"humidity":{humidity:?}}}"#),
        )
    };
    (0..ROWS).map(row).collect()
}

fn meter() -> Rows {
    let mut random = Random(11);
    let (mut energy, mut load) = (1_234_567_890_i64, 1_500_i64);
    let row = |row| {
        load = (load + random.around(12)).clamp(200, 9_000);
        let volts: Vec<_> = (0..3)
            .map(|_| (2_300 + random.around(6)) as f64 / 10.0)
            .collect();
        let amperes: Vec<_> = (0..3)
            .map(|_| (load / 7 + random.around(3)) as f64 / 100.0)
            .collect();
        let watts: Vec<_> = volts
            .iter()
            .zip(&amperes)
            .map(|(v, a)| (v * a).round() as i64)
            .collect();
        energy += load / 36;
        let text = format!(
            r#"{{"v1":{:?},"v2":{:?},"v3":{:?},"i1":{:?},"i2":{:?},"i3":{:?},"p1":{},"p2":{},"p3":{},"energy_wh":{},"hertz":{:?},"factor":{:?},"state":"{}"}}"#,
            volts[0],
            volts[1],
            volts[2],
            amperes[0],
            amperes[1],
            amperes[2],
            watts[0],
            watts[1],
            watts[2],
            energy,
            (5_000 + random.around(2)) as f64 / 100.0,
            (95 + random.around(2)) as f64 / 100.0,
            if load > 8_000 { "high" } else { "normal" },
        );
        (time(row, &mut random), text)
    };
    (0..ROWS).map(row).collect()
}
