//! Tables of the values to read, by their path in a JSON text.

use std::fmt;

use crate::llm::response::json::Value;

/// A member of an object, or the elements of an array: the function that takes the value, and
/// the branches inside it.
///
/// `S` is the state that the functions fill.
pub(crate) struct Branch<S: 'static> {
    key: Key,
    pub(crate) take: Take<S>,
    pub(crate) below: &'static [Self],
}

#[derive(Debug, Clone, Copy)]
enum Key {
    /// The member with this name.
    Name(&'static str),
    /// Every element.
    Element,
}

/// The function that takes a value.
pub(crate) enum Take<S> {
    /// None: only values inside it are read.
    Nothing,
    Value(fn(&mut S, Value<'_>)),
    /// For a non-empty string whose text does not matter.
    NonEmptyText(fn(&mut S)),
    /// For a string of any length, in pieces. Escapes lose their backslash only.
    Pieces(fn(&mut S, &[u8])),
}

/// A member whose value is read.
pub(crate) const fn field<S>(name: &'static str, take: fn(&mut S, Value<'_>)) -> Branch<S> {
    Branch {
        key: Key::Name(name),
        take: Take::Value(take),
        below: &[],
    }
}

/// A member that is a string. `take` runs if it is not empty.
pub(crate) const fn text<S>(name: &'static str, take: fn(&mut S)) -> Branch<S> {
    Branch {
        key: Key::Name(name),
        take: Take::NonEmptyText(take),
        below: &[],
    }
}

/// A member that is a string of any length. `take` gets it in pieces, in which escapes have lost
/// their backslash only.
pub(crate) const fn string_chunks<S>(name: &'static str, take: fn(&mut S, &[u8])) -> Branch<S> {
    Branch {
        key: Key::Name(name),
        take: Take::Pieces(take),
        below: &[],
    }
}

/// A member that is an object or array with values to read.
pub(crate) const fn nested<S>(name: &'static str, below: &'static [Branch<S>]) -> Branch<S> {
    Branch {
        key: Key::Name(name),
        take: Take::Nothing,
        below,
    }
}

/// The elements of an array, each of which is read.
pub(crate) const fn each<S>(take: fn(&mut S, Value<'_>)) -> Branch<S> {
    Branch {
        key: Key::Element,
        take: Take::Value(take),
        below: &[],
    }
}

/// The elements of an array, which are strings. `take` runs for each that is not empty.
pub(crate) const fn each_text<S>(take: fn(&mut S)) -> Branch<S> {
    Branch {
        key: Key::Element,
        take: Take::NonEmptyText(take),
        below: &[],
    }
}

/// The elements of an array, which are objects or arrays with values to read.
pub(crate) const fn elements<S>(below: &'static [Branch<S>]) -> Branch<S> {
    Branch {
        key: Key::Element,
        take: Take::Nothing,
        below,
    }
}

impl<S> Branch<S> {
    /// Adds branches inside the value.
    pub(crate) const fn and(self, below: &'static [Self]) -> Self {
        Self {
            key: self.key,
            take: self.take,
            below,
        }
    }

    /// Returns the name of the member, or nothing for elements.
    #[cfg(test)]
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self.key {
            Key::Name(name) => Some(name),
            Key::Element => None,
        }
    }
}

impl<S> Take<S> {
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

// `derive` would demand `S: Clone + Copy`.
impl<S> Clone for Take<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Take<S> {}

impl<S> fmt::Debug for Take<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Value(_) => "Value",
            Self::NonEmptyText(_) => "NonEmptyText",
            Self::Pieces(_) => "Pieces",
        })
    }
}

impl<S> fmt::Debug for Branch<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branch")
            .field("key", &self.key)
            .field("take", &self.take)
            .field("below", &self.below)
            .finish()
    }
}

/// Returns the branch of the member with this name, if there is one.
pub(crate) fn find_member<S>(
    branches: &'static [Branch<S>],
    name: &[u8],
) -> Option<&'static Branch<S>> {
    let is_member =
        |branch: &&Branch<S>| matches!(branch.key, Key::Name(key) if key.as_bytes() == name);
    branches.iter().find(is_member)
}

/// Returns the branch of an array's elements, if there is one.
pub(crate) fn find_element<S>(branches: &'static [Branch<S>]) -> Option<&'static Branch<S>> {
    let is_element = |branch: &&Branch<S>| matches!(branch.key, Key::Element);
    branches.iter().find(is_element)
}
