use aimdb_persistence::Persist;

mod closed {
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    pub enum Door {
        Opened { at: u64 },
        Closed { at: u64 },
    }
}

#[derive(Persist)]
#[persist(for = "closed::Door", key = "door")]
enum DoorHistory {
    Opened {
        #[persist(timestamp)]
        at: u64,
    },
}

fn main() {}
