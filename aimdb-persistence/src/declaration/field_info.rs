//! What is declared of one field of a type.

use aimdb_persistence_backend::{DeclaredField, FieldKind};

/// What is declared of one field of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    name: &'static str,
    kind: Option<FieldKind>,
    unit: Option<&'static str>,
    in_every_row: bool,
}

impl FieldInfo {
    /// A field by the name under which it is stored.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            kind: None,
            unit: None,
            in_every_row: false,
        }
    }

    /// Which every stored value has.
    #[must_use]
    pub const fn in_every_row(mut self) -> Self {
        self.in_every_row = true;
        self
    }

    /// Whether every stored value has it, as far as the declaration says so.
    #[cfg(feature = "recorder")]
    pub(crate) const fn is_in_every_row(&self) -> bool {
        self.in_every_row
    }

    /// With the kind of JSON that it is.
    #[must_use]
    pub const fn with_kind(mut self, kind: FieldKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// With its unit, such as `°C`.
    #[must_use]
    pub const fn with_unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// The name under which it is stored.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// As it crosses the contract with a backend.
    pub(crate) fn owned(&self) -> DeclaredField {
        let mut field = DeclaredField::new(self.name);
        field.kind = self.kind;
        field.unit = self.unit.map(Into::into);
        field
    }

    /// The kind of JSON that it is, where that is known.
    pub const fn kind(&self) -> Option<FieldKind> {
        self.kind
    }

    /// Its unit, if it has one.
    pub const fn unit(&self) -> Option<&'static str> {
        self.unit
    }
}
