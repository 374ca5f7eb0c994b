//! What a type says of its history: key template, retention, buffer, event time, policy, schema version.

use std::fmt::{Debug, Display};
#[cfg(feature = "recorder")]
use std::sync::Arc;

use aimdb_persistence_backend::json::write;
use aimdb_persistence_backend::{
    DecodeError, KeyError, Packing, Pattern, Retention, validate_key, validate_placeholder_value,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::declaration::event_time::RowTime;
use crate::declaration::field_info::FieldInfo;
use crate::declaration::field_path::FieldPath;
use crate::declaration::policy::Policy;
use crate::declaration::versions::{Lift, decode_up_to, version_of};

/// What a type must be to have a history: serialisable both ways, cloneable, printable and shareable between
/// threads. Implemented for every such type; there is nothing to write.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a record",
    label = "it lacks some of `Clone`, `Debug`, `Serialize` and `Deserialize`",
    note = "the type of a record has five derives: `#[derive(Clone, Debug, Serialize, Deserialize, Persist)]`"
)]
pub trait Record: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static> Record for T {}

/// What derives give a record's type. It has no supertraits, so that the compiler names a type without them once, and not
/// once for each.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a record",
    label = "it lacks some of `Clone`, `Debug`, `Serialize` and `Deserialize`",
    note = "the type of a record has five derives: `#[derive(Clone, Debug, Serialize, Deserialize, Persist)]`"
)]
pub trait Recordable {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Clone + Debug> Recordable for T {}

/// What a type declares of its history. `#[derive(Persist)]` implements it; with it comes
/// [`Persist`](crate::Persist).
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares no history",
    label = "`Persist` is not implemented for `{Self}`",
    note = "add `#[derive(Persist)]` and `#[persist(key = \"…\")]` to the type"
)]
pub trait Declared: Sized + 'static {
    /// What the records hold: this type itself, or the type of another crate that it is a marker of.
    type Value: Recordable + Send + Sync + 'static;

    /// What the attributes say.
    const DECLARATION: Declaration;

    /// When a value happened, if a field marked `#[persist(timestamp)]` says so.
    fn event_time_of(_value: &Self::Value) -> RowTime {
        RowTime::Received
    }

    /// When this value happened, if a field marked `#[persist(timestamp)]` says so.
    fn event_time(&self) -> RowTime
    where
        Self: Declared<Value = Self>,
    {
        Self::event_time_of(self)
    }

    /// A value from a stored row, whose JSON was written as this version of the type; 0 where none was declared.
    ///
    /// As provided, rows of every version up to the declared one decode as this type. The derive's `migrate(…)` decodes
    /// older ones as the types that they were written as, and lifts them step by step.
    ///
    /// # Errors
    /// If the JSON is no such value, or a newer program has written it.
    fn from_stored(version: u32, json: &str) -> Result<Self::Value, DecodeError>
    where
        Self::Value: Record,
    {
        decode_newest::<Self>(version, json)
    }
}

/// A row of the declared version or an older one that decodes as the type does.
#[doc(hidden)]
pub fn decode_newest<T: Declared<Value: Record>>(
    version: u32,
    json: &str,
) -> Result<T::Value, DecodeError> {
    let version = match const { T::DECLARATION.version_field() } {
        Some(field) => version_of(version, json, field),
        None => version,
    };
    decode_up_to(const { T::DECLARATION.version() }, version, json)
}

/// `None` where there is no older version.
pub(crate) fn lift_of<T: Declared<Value: Record>>() -> Option<Lift> {
    let rewrite = |version, json: &str| {
        let value = T::from_stored(version, json).ok()?;
        let mut text = Vec::new();
        write(&value, &mut text).ok()?;
        String::from_utf8(text).ok()
    };
    let of = const { (T::DECLARATION.version(), T::DECLARATION.version_field()) };
    Lift::to(of.0, of.1, rewrite)
}

/// The buffer that `register` gives a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum BufferKind {
    /// A ring of so many values; a slow reader loses the oldest.
    Ring(usize),
    /// The latest value only.
    Latest,
}

/// A ring of 1,024 values.
impl Default for BufferKind {
    fn default() -> Self {
        Self::Ring(1_024)
    }
}

/// Whether a record gets its last stored value back at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restore {
    /// However old it is.
    Always,
    /// Only if it is no older than so many milliseconds.
    NoOlderThan(u64),
}

/// The attributes of one type, as the derive reads them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Declaration {
    type_name: &'static str,
    template: &'static str,
    retention: Option<Retention>,
    buffer: Option<BufferKind>,
    policy: Policy,
    restore: Option<Restore>,
    pack: Option<Packing>,
    version: u32,
    version_field: Option<&'static str>,
    fields: &'static [FieldInfo],
    has_further_fields: bool,
    event_time_fields: &'static [FieldPath],
}

impl Declaration {
    /// A declaration of `template`, such as `temperature.{station}`, and nothing else.
    pub const fn new(type_name: &'static str, template: &'static str) -> Self {
        Self {
            type_name,
            template,
            retention: None,
            buffer: None,
            policy: Policy::new(),
            restore: None,
            pack: None,
            version: 0,
            version_field: None,
            fields: &[],
            has_further_fields: false,
            event_time_fields: &[],
        }
    }

    /// With a retention of its own.
    #[must_use]
    pub const fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// With a buffer of its own.
    #[must_use]
    pub const fn with_buffer(mut self, buffer: BufferKind) -> Self {
        self.buffer = Some(buffer);
        self
    }

    /// With a policy: which values become rows, and how many are kept.
    #[must_use]
    pub const fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// With the last stored value given back at the start.
    #[must_use]
    pub const fn with_restore(mut self, restore: Restore) -> Self {
        self.restore = Some(restore);
        self
    }

    /// With when rows are packed. A hint: not every backend packs.
    #[must_use]
    pub const fn with_pack(mut self, pack: Packing) -> Self {
        self.pack = Some(pack);
        self
    }

    /// With the version of its schema, from 1.
    #[must_use]
    pub const fn with_version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// With the name under which a value stores its version itself. It counts before the one that is stored with the row.
    #[must_use]
    pub const fn with_version_field(mut self, name: &'static str) -> Self {
        self.version_field = Some(name);
        self
    }

    /// With what is known of its fields.
    #[must_use]
    pub const fn with_fields(mut self, fields: &'static [FieldInfo]) -> Self {
        self.fields = fields;
        self
    }

    /// With what is known of some of its fields.
    #[must_use]
    pub const fn with_some_fields(mut self, fields: &'static [FieldInfo]) -> Self {
        self.has_further_fields = true;
        self.with_fields(fields)
    }

    /// With where the event time is stored, one place for each variant of an enum: a difference there is no change of the
    /// value.
    #[must_use]
    pub const fn with_event_time_fields(mut self, fields: &'static [FieldPath]) -> Self {
        self.event_time_fields = fields;
        self
    }

    /// The type's name as it stands in the source.
    pub const fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The key, with its placeholders if it has any.
    pub const fn template(&self) -> &'static str {
        self.template
    }

    /// The retention declared; `None` follows the builder's.
    pub const fn retention(&self) -> Option<Retention> {
        self.retention
    }

    /// The buffer declared, if one is.
    pub const fn buffer(&self) -> Option<BufferKind> {
        self.buffer
    }

    /// The policy declared; the default stores every value.
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// Whether the last stored value is given back at the start.
    pub const fn restore(&self) -> Option<Restore> {
        self.restore
    }

    /// When rows are packed; `None` follows what the backend was told.
    pub const fn pack(&self) -> Option<Packing> {
        self.pack
    }

    /// The version of the schema; 0 where none is declared.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The name under which a value stores its version itself.
    pub const fn version_field(&self) -> Option<&'static str> {
        self.version_field
    }

    /// What is known of its fields.
    pub const fn fields(&self) -> &'static [FieldInfo] {
        self.fields
    }

    /// Whether values may have fields of which nothing is known.
    pub(crate) const fn has_further_fields(&self) -> bool {
        self.has_further_fields
    }

    /// Where the event time is stored.
    pub const fn event_time_fields(&self) -> &'static [FieldPath] {
        self.event_time_fields
    }

    /// The keys that the template can produce.
    pub(crate) fn pattern(&self) -> Pattern {
        Pattern::of_template(self.template)
    }

    /// The template with its placeholders replaced in order, by values that stay within their segments.
    pub(crate) fn key(&self, values: &[&dyn Display]) -> Result<String, KeyError> {
        let mut key = String::with_capacity(self.template.len());
        let mut values = values.iter();
        let mut rest = self.template;
        while let Some((before, after)) = rest.split_once('{') {
            key.push_str(before);
            let value = values.next().map(ToString::to_string).unwrap_or_default();
            validate_placeholder_value(&value)?;
            key.push_str(&value);
            rest = after.split_once('}').map_or("", |(_, rest)| rest);
        }
        key.push_str(rest);
        validate_key(&key)?;
        if !self.pattern().matches(&key) {
            let template = self.template;
            let reason = format!("a value's `:` and one of `{template}` together make a separator");
            return Err(KeyError::new(&key, reason));
        }
        Ok(key)
    }
}

#[cfg(feature = "recorder")]
/// One record and what its type declares: what the AimDB modules register.
#[doc(hidden)]
pub struct DeclaredRecord {
    pub(crate) key: Arc<str>,
    pub(crate) declaration: Declaration,
}

#[cfg(feature = "recorder")]
impl DeclaredRecord {
    /// With the buffer that `register` gives it: the declared one, or else a ring.
    pub(crate) fn with_its_buffer(self) -> (Self, BufferKind) {
        let buffer = self.declaration.buffer().unwrap_or_default();
        let declaration = self.declaration.with_buffer(buffer);
        (
            Self {
                declaration,
                ..self
            },
            buffer,
        )
    }
}
