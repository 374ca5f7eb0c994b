//! Three gateways record into one PostgreSQL server, and one program asks them all.
//!
//! `cargo run --example fleet` starts a throwaway server and the gateways, each a program of its own. It needs the programs
//! of PostgreSQL (Debian: `apt-get install postgresql`), and leaves nothing behind.

mod gateway;

use std::env;
use std::error::Error;
use std::process::Command;
use std::sync::Arc;

use aimdb_persistence::prelude::*;
use aimdb_persistence_examples::readings::date_of;
use aimdb_persistence_postgres::PostgresBackend;
use comfy_table::Table;

use crate::gateway::{GATEWAYS, Temperature};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => fleet().await,
        ["record", gateway, url] => gateway::record(gateway, url).await,
        _ => Err("give it no arguments: it starts its gateways itself".into()),
    }
}

async fn fleet() -> Result<(), Box<dyn Error>> {
    let Some(server) = aimdb_persistence_test_server::server() else {
        println!("PostgreSQL is needed, and was not found.");
        return Ok(());
    };
    let url = server.url();
    println!("Three gateways record a year of temperatures …");
    let gateways = GATEWAYS.map(|gateway| {
        let mut program = Command::new(env::current_exe()?);
        program.args(["record", gateway.name, &url]).spawn()
    });
    for gateway in gateways {
        let status = gateway?.wait()?;
        if !status.success() {
            return Err(format!("a gateway ended with {status}").into());
        }
    }
    ask(&url).await
}

/// Records nothing: an archive is asked like a database.
async fn ask(url: &str) -> Result<(), Box<dyn Error>> {
    let backend = PostgresBackend::builder(url)
        .source("headquarters")
        .all_sources()
        .read_only()
        .connect()
        .await?;
    let archive = Archive::open(Arc::new(backend)).await?;
    let mut table = Table::new();
    table.set_header(["gateway", "record", "newest", "°C"]);
    for newest in Temperature::history(&archive).latest(1).rows().await? {
        table.add_row([
            newest.source.as_deref().unwrap_or("?").to_owned(),
            newest.record_name,
            date_of(newest.stored_at),
            format!("{:.1}", newest.value.celsius),
        ]);
    }
    println!("{table}");
    let all = Temperature::history(&archive).count().await?;
    println!("{all} rows of {} gateways", GATEWAYS.len());
    Ok(())
}
