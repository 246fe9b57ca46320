//! Tables of the spanned TOML tree: what has another shape than asked for is not there.

use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) type Node<'i> = Spanned<DeValue<'i>>;

/// A table with its place.
#[derive(Clone)]
pub(super) struct Table<'t, 'i> {
    pub(super) table: &'t DeTable<'i>,
    pub(super) span: Range<usize>,
}

impl<'t, 'i> Table<'t, 'i> {
    pub(super) fn of(node: &'t Node<'i>) -> Option<Self> {
        Some(Self {
            table: node.get_ref().as_table()?,
            span: node.span(),
        })
    }

    pub(super) fn get(&self, key: &str) -> Option<&'t Node<'i>> {
        self.table.get(key)
    }

    pub(super) fn sub(&self, key: &str) -> Option<Self> {
        Self::of(self.get(key)?)
    }

    pub(super) fn text(&self, key: &str) -> Option<(&'t str, Range<usize>)> {
        text(self.get(key)?)
    }

    /// The elements of a list.
    pub(super) fn list(&self, key: &str) -> impl Iterator<Item = &'t Node<'i>> + use<'t, 'i> {
        self.get(key)
            .and_then(|n| n.get_ref().as_array())
            .into_iter()
            .flatten()
    }

    /// The tables of a list.
    pub(super) fn tables(&self, key: &str) -> impl Iterator<Item = Table<'t, 'i>> + use<'t, 'i> {
        self.list(key).filter_map(Table::of)
    }

    /// The texts of a list.
    pub(super) fn texts(&self, key: &str) -> impl Iterator<Item = (&'t str, Range<usize>)> + use<'t, 'i> {
        self.list(key).filter_map(text)
    }

    /// The tables of a map, by name.
    pub(super) fn named(&self, key: &str) -> Vec<(&'t str, Range<usize>, Table<'t, 'i>)> {
        let map = self.get(key).and_then(|n| n.get_ref().as_table());
        map.into_iter()
            .flatten()
            .filter_map(|(k, v)| Some((k.get_ref().as_ref(), k.span(), Table::of(v)?)))
            .collect()
    }

    /// The texts of a map.
    pub(super) fn named_texts(&self, key: &str) -> Vec<(&'t str, Range<usize>)> {
        let map = self.get(key).and_then(|n| n.get_ref().as_table());
        map.into_iter().flatten().filter_map(|(_, v)| text(v)).collect()
    }

    /// The names in a map.
    pub(super) fn names(&self, key: &str) -> Vec<(&'t str, Range<usize>)> {
        let map = self.get(key).and_then(|n| n.get_ref().as_table());
        map.into_iter()
            .flatten()
            .map(|(k, _)| (k.get_ref().as_ref(), k.span()))
            .collect()
    }

    /// The place of a key.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        self.table
            .get_key_value(key)
            .map_or_else(|| self.span.clone(), |(k, _)| k.span())
    }
}

fn text<'t>(node: &'t Node<'_>) -> Option<(&'t str, Range<usize>)> {
    Some((node.get_ref().as_str()?, node.span()))
}

/// A number of either kind.
pub(super) fn number(node: &Node<'_>) -> Option<f64> {
    let value = node.get_ref();
    let text = value
        .as_float()
        .map(|f| f.as_str())
        .or_else(|| value.as_integer().map(|i| i.as_str()))?;
    text.replace('_', "").parse().ok()
}
