//! A folder on a disk that keeps what was synced, and of what was asked of it since, anything or nothing.

use std::collections::BTreeMap;

use super::tape::{Action, Step};

/// A disk writes this much at once; where the power fails meanwhile, anything may be there.
const SECTOR_BYTES: usize = 512;

/// The folder's files by name.
#[derive(Default)]
pub(crate) struct Disk<'a>(BTreeMap<&'a str, File<'a>>);

#[derive(Default)]
struct File<'a> {
    /// What a process reads: the disk may never get to see it.
    cached: Vec<u8>,
    synced: Vec<u8>,
    since: Vec<Change<'a>>,
    /// Whether the folder was synced after the file had been created.
    is_named: bool,
    /// It is gone, or will be when the folder is synced.
    is_unlinked: bool,
}

enum Change<'a> {
    Write { offset: usize, bytes: &'a [u8] },
    Truncate { length: usize },
}

/// How much the disk has done of what it had not to do yet.
#[derive(Clone, Copy)]
pub(crate) enum Luck {
    /// It was done with everything: only the process has ended.
    Everything,
    /// It had put off everything.
    Nothing,
    /// It went in order and was interrupted in the middle of something.
    InOrder,
    /// It went in no order, and some sectors were just being written.
    Anything,
}

impl<'a> Disk<'a> {
    /// The disk before the first of the steps.
    pub(crate) fn holding(files: &'a BTreeMap<String, Vec<u8>>) -> Self {
        let file = |(name, content): (&'a String, &Vec<u8>)| {
            let file = File {
                cached: content.clone(),
                synced: content.clone(),
                is_named: true,
                ..File::default()
            };
            (name.as_str(), file)
        };
        Self(files.iter().map(file).collect())
    }

    /// Takes a step of a process; reports are none of a disk's business.
    pub(crate) fn take(&mut self, step: &Step<'a>) {
        if step.name.is_empty() {
            if matches!(step.action, Action::Sync) {
                self.sync_names();
            }
            return;
        }
        if let Action::Rename { to } = step.action {
            // Names are the business of a file system's own log, which keeps them in order: moved at once.
            if let Some(file) = self.0.remove(step.name) {
                self.0.insert(to, file);
            }
            return;
        }
        let file = self.0.entry(step.name).or_default();
        if file.is_unlinked && !matches!(step.action, Action::Unlink) {
            *file = File::default();
        }
        match step.action {
            Action::Write { offset, bytes } => file.change(Change::Write { offset, bytes }),
            Action::Truncate { length } => file.change(Change::Truncate { length }),
            Action::Sync => file.sync(),
            Action::FailedSync => file.lose_writes(),
            Action::Rename { .. } => unreachable!("handled above"),
            Action::Unlink => file.is_unlinked = true,
            Action::Report(_) => {}
        }
    }

    fn sync_names(&mut self) {
        self.0.retain(|_, file| !file.is_unlinked);
        self.0.values_mut().for_each(|file| file.is_named = true);
    }

    /// What may be found after the power has come back.
    pub(crate) fn after_power_cut(
        &self,
        luck: Luck,
        random: &mut fastrand::Rng,
    ) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for (name, file) in &self.0 {
            let is_there = match luck {
                Luck::Everything => !file.is_unlinked,
                Luck::Nothing => file.is_named,
                Luck::InOrder | Luck::Anything => {
                    (file.is_named && !file.is_unlinked) || random.bool()
                }
            };
            if is_there {
                files.insert((*name).to_owned(), file.after_power_cut(luck, random));
            }
        }
        files
    }
}

impl<'a> File<'a> {
    fn change(&mut self, change: Change<'a>) {
        change.apply(&mut self.cached);
        self.since.push(change);
    }

    fn sync(&mut self) {
        for change in self.since.drain(..) {
            change.apply(&mut self.synced);
        }
    }

    /// Linux takes the pages for written when a sync has failed, and does not try again. How long the file is stands in the
    /// file system's own log.
    fn lose_writes(&mut self) {
        self.since
            .retain(|change| matches!(change, Change::Truncate { .. }));
    }

    fn after_power_cut(&self, luck: Luck, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut content = self.synced.clone();
        match luck {
            Luck::Everything => content.clone_from(&self.cached),
            Luck::Nothing => {}
            Luck::InOrder => {
                let done = random.usize(0..=self.since.len());
                self.since[..done]
                    .iter()
                    .for_each(|change| change.apply(&mut content));
                if let Some(Change::Write { offset, bytes }) = self.since.get(done) {
                    let cut = random.usize(0..=bytes.len());
                    let is_there = content.get(*offset..*offset + cut) == Some(&bytes[..cut]);
                    write(&mut content, *offset, &bytes[..cut]);
                    if !is_there {
                        scramble(
                            &mut content,
                            *offset,
                            cut.saturating_sub(SECTOR_BYTES)..cut,
                            random,
                        );
                    }
                }
            }
            Luck::Anything => {
                for change in &self.since {
                    change.apply_in_part(&mut content, random);
                }
            }
        }
        content
    }
}

impl Change<'_> {
    fn apply(&self, content: &mut Vec<u8>) {
        match *self {
            Change::Write { offset, bytes } => write(content, offset, bytes),
            Change::Truncate { length } => content.resize(length, 0),
        }
    }

    fn apply_in_part(&self, content: &mut Vec<u8>, random: &mut fastrand::Rng) {
        match *self {
            Change::Write { offset, bytes } => {
                for sector in sectors(offset, bytes.len()) {
                    // Written from one end to the other, and what was there already is there at every moment.
                    if content.get(offset + sector.start..offset + sector.end)
                        == Some(&bytes[sector.clone()])
                    {
                        continue;
                    }
                    match random.u8(0..8) {
                        0..4 => write(content, offset + sector.start, &bytes[sector]),
                        4 => {
                            write(content, offset + sector.start, &bytes[sector.clone()]);
                            scramble(content, offset, sector, random);
                        }
                        _ => {}
                    }
                }
            }
            Change::Truncate { .. } => {
                if random.bool() {
                    self.apply(content);
                }
            }
        }
    }
}

fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end && !bytes.is_empty() {
        content.resize(end, 0);
    }
    if !bytes.is_empty() {
        content[offset..end].copy_from_slice(bytes);
    }
}

fn scramble(
    content: &mut [u8],
    offset: usize,
    range: std::ops::Range<usize>,
    random: &mut fastrand::Rng,
) {
    random.fill(&mut content[offset + range.start..offset + range.end]);
}

/// The parts of a write that a disk writes at once, as ranges of its bytes.
fn sectors(offset: usize, bytes: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start == bytes {
            return None;
        }
        let to_boundary = SECTOR_BYTES - (offset + start) % SECTOR_BYTES;
        let sector = start..(start + to_boundary).min(bytes);
        start = sector.end;
        Some(sector)
    })
}
