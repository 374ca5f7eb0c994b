//! A week of a building, in which every attribute of a declaration has a reason: what was produced, and what became rows.
//!
//! Start it twice: the second run finds the week, and the last set points, where the first has left them.

mod records;
mod report;
mod signals;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aimdb_core::{AimDb, AimDbBuilder, DbResult};
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceStats, Series, declare::BufferKind,
};
use aimdb_persistence_examples::clock::now_ms;
use aimdb_persistence_examples::files;
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_tokio_adapter::TokioAdapter;

use crate::records::*;
use crate::signals::Building;

type Database = AimDb<TokioAdapter>;

const ROOMS: [&str; 3] = ["office", "lab", "canteen"];
const SEED: u64 = 2_010;
const CLOSE_DEADLINE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A plain "building.db" would do as well.
    let path = files::from_command_line("building.db")?;
    println!("History: {}", path.display());

    let (db, backend) = open(&path).await?;
    let is_new = Climate::query_latest(&db, 1).await?.is_empty();
    if is_new {
        produce_the_week(&db).await?;
    }
    // Closing stores also what waits for the end of its interval.
    let stats = close(db, &backend).await?;
    if is_new {
        println!("\n{}", report::table(&stats));
    }

    println!("\nAfter a restart");
    let (db, backend) = open(&path).await?;
    // The heating waits for set points, and nobody touches a dial at the start.
    let mut dials = Vec::new();
    for room in ROOMS {
        dials.push(db.subscribe::<SetPoint>(SetPoint::series(room).key())?);
    }
    println!(
        "  {} values are back",
        db.restore_persistence().await?.restored()
    );
    for (room, dial) in ROOMS.iter().zip(&mut dials) {
        println!("  {room} is heated to {:.1} °C", dial.recv().await?.celsius);
    }
    close(db, &backend).await?;
    Ok(())
}

async fn open(path: &Path) -> Result<(Database, Arc<SqliteBackend>), Box<dyn Error>> {
    let backend = Arc::new(SqliteBackend::new(path)?);
    let mut builder = AimDbBuilder::new()
        .runtime(Arc::new(TokioAdapter::new()?))
        .with_persistence(backend.clone(), Duration::MAX);
    let b = &mut builder;
    for room in ROOMS {
        register(Climate::series(room), b);
        register(CarbonDioxide::series(room), b);
        register(Motion::series(room), b);
        register(SetPoint::series(room), b);
    }
    register(Door::series("entrance"), b);
    register(Energy::series("main"), b);
    register(Mains::series("main"), b);
    register(Firmware::series("gateway"), b);
    Lift::register(b);
    Alarm::register(b);
    Forecast::register(b);
    Gateway::register(b);
    Ok((builder.build().await?, backend))
}

/// A building fills a ring of 1,024 in seventeen hours; this program fills it in milliseconds.
fn register<T: Persist>(series: Series<T>, builder: &mut AimDbBuilder<TokioAdapter>) {
    series
        .with_buffer(BufferKind::Ring(65_536))
        .register(builder);
}

async fn produce_the_week(db: &Database) -> Result<(), Box<dyn Error>> {
    let mut rooms: Vec<_> = (SEED..).map(Building::new).zip(ROOMS).collect();
    let mut house = Building::new(SEED - 1);
    for minute in signals::last_week(now_ms()) {
        for (room, name) in &mut rooms {
            let name = *name;
            produce(db, &Climate::series(name), room.climate(minute)).await?;
            produce(
                db,
                &CarbonDioxide::series(name),
                room.carbon_dioxide(minute),
            )
            .await?;
            produce(db, &Motion::series(name), room.motion(minute)).await?;
            produce(db, &SetPoint::series(name), room.set_point(minute)).await?;
        }
        for event in house.door(minute) {
            produce(db, &Door::series("entrance"), event).await?;
        }
        for position in house.lift(minute) {
            produce(db, &Lift::series(), position).await?;
        }
        if let Some(alarm) = house.alarm(minute) {
            produce(db, &Alarm::series(), alarm).await?;
        }
        for forecast in house.forecast(minute) {
            produce(db, &Forecast::series(), forecast).await?;
        }
        produce(db, &Energy::series("main"), house.energy(minute)).await?;
        produce(db, &Mains::series("main"), house.mains(minute)).await?;
        produce(db, &Firmware::series("gateway"), house.firmware(minute)).await?;
        produce(db, &Gateway::series(), house.gateway(minute)).await?;
    }
    Ok(())
}

async fn produce<T: Persist>(db: &Database, series: &Series<T>, value: T) -> DbResult<()> {
    db.produce(series.key(), value).await
}

async fn close(db: Database, backend: &SqliteBackend) -> Result<PersistenceStats, Box<dyn Error>> {
    let closed = db.close_persistence(CLOSE_DEADLINE).await?;
    backend.close().await?;
    match closed.error {
        Some(error) => Err(format!("closed before everything was stored: {error}").into()),
        None => Ok(closed.stats),
    }
}
