//! What of a JSON text is read: the names on the way to each value.

use crate::llm::response::answer::Field;

/// A value that is read, or that has such values within it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Branch {
    key: Key,
    /// What the value is, if it is read itself.
    pub(crate) field: Option<Field>,
    pub(crate) below: &'static [Branch],
}

#[derive(Debug, Clone, Copy)]
enum Key {
    /// The member of an object that has this name.
    Name(&'static str),
    /// Each element of an array.
    Each,
}

/// A member whose value is read.
pub(crate) const fn field(name: &'static str, field: Field) -> Branch {
    Branch {
        key: Key::Name(name),
        field: Some(field),
        below: &[],
    }
}

/// A member whose value has others within it that are read.
pub(crate) const fn object(name: &'static str, below: &'static [Branch]) -> Branch {
    Branch {
        key: Key::Name(name),
        field: None,
        below,
    }
}

/// The elements of an array, each read itself.
pub(crate) const fn each(field: Field) -> Branch {
    Branch {
        key: Key::Each,
        field: Some(field),
        below: &[],
    }
}

impl Branch {
    /// Returns the member's name, if it is one.
    #[cfg(test)]
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self.key {
            Key::Name(name) => Some(name),
            Key::Each => None,
        }
    }

    /// Reads what is within the value, too.
    pub(crate) const fn and(self, below: &'static [Branch]) -> Self {
        Self { below, ..self }
    }
}

/// Returns the member that has this name, if it is to be read.
pub(crate) fn member(branches: &'static [Branch], name: &[u8]) -> Option<&'static Branch> {
    let is = |branch: &&Branch| matches!(branch.key, Key::Name(own) if own.as_bytes() == name);
    branches.iter().find(is)
}

/// Returns what is read of each element of an array.
pub(crate) fn element(branches: &'static [Branch]) -> Option<&'static Branch> {
    let is = |branch: &&Branch| matches!(branch.key, Key::Each);
    branches.iter().find(is)
}
