//! What a program's declarations find in a backend that keeps those of earlier programs: types of another shape, and rows
//! that no declaration selects any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use aimdb_persistence_backend::{
    DeclaredField, Feature, Pattern, PersistenceError, SeriesDeclaration,
};

use crate::archive::Archive;
use crate::archive::changes::newest_row_of;
use crate::archive::event::PersistenceEvent;
use crate::archive::record::{DeclaredAs, RecordState, base_name};
use crate::declaration::template::{fill, values_in};

/// So many series are looked at to count those that have rows.
const MOST_COUNTED: usize = 1_000;

impl Archive {
    /// Reports what has changed since the backend was told the last time. Before it is told anew.
    pub(crate) async fn report_findings(&self) -> Result<(), PersistenceError> {
        self.report_plain_records();
        if !self.backend().supports(Feature::Declarations) {
            return Ok(());
        }
        let kept = self.backend().declarations(&Pattern::parse("#")?).await?;
        let types = types_of(&self.registry().all());
        for declared in &types {
            if let Some(event) = changed(declared, &kept) {
                self.report(&event);
            }
        }
        self.report_orphans(&types, &kept).await
    }

    /// A record that is persisted by its name alone, though its type says more.
    fn report_plain_records(&self) {
        for record in self.registry().all() {
            if record.declared.get().is_none()
                && let Some((value_id, _)) = record.rust_type.get()
                && self.registry().declares(*value_id)
            {
                self.report_plain(&record);
            }
        }
    }

    /// The same where the type is declared by nothing but the question that is asked.
    pub(crate) fn report_plain_records_of(&self, asked: &DeclaredAs) {
        if !self.registry().is_first_question(asked.type_id) {
            return;
        }
        for record in self.registry().all() {
            if record.declared.get().is_none()
                && record
                    .rust_type
                    .get()
                    .is_some_and(|(id, _)| *id == asked.value_id)
            {
                self.report_plain(&record);
            }
        }
    }

    fn report_plain(&self, record: &RecordState) {
        if record.is_first_time_told() {
            let record_name = record.name.to_string();
            self.report(&PersistenceEvent::Misdeclared {
                record_name,
                reason: "its type derives `Persist`, and `.persist(…)` records it without what the type declares: its queries do \
                         not find it; use the series' `register`, or `Series::persist` in place of `.persist`"
                    .to_owned(),
            });
        }
    }

    async fn report_orphans(
        &self,
        types: &[OfType],
        kept: &[SeriesDeclaration],
    ) -> Result<(), PersistenceError> {
        let is_lost = |series: &&SeriesDeclaration| {
            let live = self.registry().declared(&series.record_name);
            let template = series.template.as_deref();
            live.is_none()
                && template
                    .is_some_and(|template| types.iter().all(|of| of.declared.template != template))
        };
        let lost: Vec<_> = kept.iter().filter(is_lost).collect();
        for of_type in types {
            let mut with_rows = Vec::new();
            let alike = lost.iter().filter(|series| of_type.looks_like(series));
            for series in alike.take(MOST_COUNTED) {
                let newest = newest_row_of(&series.record_name, u64::MAX).with_page(1, 1);
                if !self.backend().read(newest).await?.rows.is_empty() {
                    with_rows.push(*series);
                }
            }
            if let Some(first) = with_rows.first() {
                self.report(&PersistenceEvent::Orphaned {
                    record_name: first.record_name.to_string(),
                    series: with_rows.len(),
                    reason: of_type.mending(first),
                });
            }
        }
        Ok(())
    }
}

/// A type that this program declares, and its series.
struct OfType {
    declared: DeclaredAs,
    records: Vec<Arc<RecordState>>,
}

fn types_of(records: &[Arc<RecordState>]) -> Vec<OfType> {
    let mut types: Vec<OfType> = Vec::new();
    for record in records {
        let Some(declared) = record.declared.get() else {
            continue;
        };
        let known = types
            .iter_mut()
            .find(|known| known.declared.type_id == declared.type_id);
        match known {
            Some(known) => known.records.push(Arc::clone(record)),
            None => types.push(OfType {
                declared: *declared,
                records: vec![Arc::clone(record)],
            }),
        }
    }
    types
}

impl OfType {
    /// Whether a series was declared by what this type was before: under another template, or with other placeholders in it.
    fn looks_like(&self, series: &SeriesDeclaration) -> bool {
        let own = self.declared.short_name();
        let same_type = series
            .type_name
            .as_deref()
            .is_some_and(|name| base_name(name) == base_name(&own));
        let same_key = values_in(self.declared.template, &series.record_name).is_some();
        let template = series.template.as_deref().unwrap_or_default();
        same_type || same_key && without_names(template) == without_names(self.declared.template)
    }

    /// How a series that looks like the type's is known, and the call that makes it one.
    fn mending(&self, series: &SeriesDeclaration) -> String {
        let (key, template) = (&*series.record_name, self.declared.template);
        let was = series.template.as_deref().unwrap_or_default();
        let name = self.declared.short_name();
        if let Some(values) = values_in(template, key) {
            let values: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
            let values = values.join(", ");
            return format!(
                "it was declared with the key template `{was}`, and `{name}` has `{template}`; \
                 `{}::series({values}).declare(&db)` makes it one of the type's, as registering it does",
                base_name(&name)
            );
        }
        let new_key = values_in(was, key).and_then(|values| fill(template, &values));
        let new_key = new_key.unwrap_or_else(|| "…".to_owned());
        format!(
            "it was declared with the key template `{was}`, and `{name}` has `{template}` now; \
             `db.rename_series({key:?}, {new_key:?})` gives its rows a key of the type's"
        )
    }
}

fn without_names(template: &str) -> String {
    let mut shape = String::new();
    let mut is_name = false;
    for character in template.chars() {
        is_name = match character {
            '{' => true,
            '}' => false,
            _ => is_name,
        };
        if !is_name {
            shape.push(character);
        }
    }
    shape
}

/// What is different between a type and what was declared of its series, if its version says nothing of it.
fn changed(of_type: &OfType, kept: &[SeriesDeclaration]) -> Option<PersistenceEvent> {
    let declared = &of_type.declared;
    let fields: Vec<_> = declared.fields.iter().map(|field| field.owned()).collect();
    let own_name = declared.short_name();
    let own = kept.iter().filter(|series| {
        let is_live = of_type
            .records
            .iter()
            .any(|record| record.name == series.record_name);
        is_live || series.template.as_deref() == Some(declared.template)
    });
    own.into_iter().find_map(|series| {
        let other = series.type_name.as_deref().unwrap_or(&own_name);
        let is_other_instance = other != own_name && base_name(other) == base_name(&own_name);
        let is_same_version = series.version.max(1) == declared.version.max(1);
        let reason = if is_other_instance {
            format!(
                "its rows were stored as `{other}`, and the type is `{own_name}` now: a key that names the instance keeps them \
                 apart"
            )
        } else if is_same_version {
            let known = |field: &&DeclaredField| {
                !declared.has_further_fields || fields.iter().any(|own| own.path == field.path)
            };
            let before: Vec<_> = series.fields.iter().filter(known).cloned().collect();
            let known = |field: &&DeclaredField| {
                !declared.has_further_fields || before.iter().any(|other| other.path == field.path)
            };
            let now: Vec<_> = fields.iter().filter(known).cloned().collect();
            let differences = differences(&before, &now)?;
            let next = declared.version.max(1) + 1;
            format!(
                "{differences}; if what is stored is to be read, keep the type as it was and write \
                 `version = {next}, migrate(…)`, or serde's `alias`"
            )
        } else {
            return None;
        };
        Some(PersistenceEvent::SchemaChanged {
            record_name: series.record_name.to_string(),
            reason,
        })
    })
}

/// In words; `None` where there are none, or one of the two says nothing of its fields.
fn differences(before: &[DeclaredField], now: &[DeclaredField]) -> Option<String> {
    let named = |fields: &[DeclaredField]| -> BTreeSet<String> {
        let known = fields
            .iter()
            .filter_map(|field| Some((&field.path, field.kind?)));
        known
            .map(|(path, kind)| format!("`{path}` ({})", kind.name()))
            .collect()
    };
    let (before, now) = (named(before), named(now));
    if before == now || before.is_empty() || now.is_empty() {
        return None;
    }
    let list = |what: &str, of: Vec<&String>| {
        let of: Vec<_> = of.into_iter().map(String::as_str).collect();
        (!of.is_empty()).then(|| format!("{what} {}", of.join(", ")))
    };
    let gone = list("the type has no longer", before.difference(&now).collect());
    let new = list("it has now", now.difference(&before).collect());
    Some(
        [gone, new]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", and "),
    )
}
