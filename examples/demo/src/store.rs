//! The users and their items. A real service would have a database.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;

/// The number of users. Their ids start at 0.
const USERS: u32 = 1_000;

/// A user keeps only the newest items.
const ITEMS_PER_USER: usize = 10;

/// A reader of new items that falls behind by more misses some of them.
const EVENT_CAPACITY: usize = 64;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct User {
    id: u32,
    name: String,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Item {
    pub(crate) id: u64,
    pub(crate) user: u32,
    title: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// By id.
    users: Arc<[User]>,
    items: Arc<Mutex<Items>>,
    events: broadcast::Sender<Item>,
}

#[derive(Debug, Default)]
struct Items {
    by_user: HashMap<u32, VecDeque<Item>>,
    last_id: u64,
}

impl Store {
    pub(crate) fn new() -> Self {
        let user = |id| User {
            id,
            name: format!("User {id}"),
        };
        Self {
            users: (0..USERS).map(user).collect(),
            items: Arc::default(),
            events: broadcast::Sender::new(EVENT_CAPACITY),
        }
    }

    pub(crate) fn user(&self, id: u32) -> Option<User> {
        self.users.get(id as usize).cloned()
    }

    pub(crate) fn users_named(&self, query: &str) -> Vec<User> {
        let users = self.users.iter();
        users
            .filter(|user| user.name.contains(query))
            .cloned()
            .collect()
    }

    /// Adds an item, and sends it to all who have subscribed.
    pub(crate) fn add(&self, user: u32, title: String) -> Item {
        let item = self.lock().add(user, title);
        // An error means that there is no subscriber.
        let _ = self.events.send(item.clone());
        item
    }

    pub(crate) fn items(&self, user: u32) -> Vec<Item> {
        let items = self.lock();
        let items = items.by_user.get(&user);
        items.map_or_else(Vec::new, |items| items.iter().cloned().collect())
    }

    pub(crate) fn item(&self, user: u32, id: u64) -> Option<Item> {
        self.items(user).into_iter().find(|item| item.id == id)
    }

    /// Returns false if there is no such item.
    pub(crate) fn remove(&self, user: u32, id: u64) -> bool {
        let mut items = self.lock();
        let Some(items) = items.by_user.get_mut(&user) else {
            return false;
        };
        let count = items.len();
        items.retain(|item| item.id != id);
        items.len() < count
    }

    /// Returns a receiver of the items that are created from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Item> {
        self.events.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Items {
    fn add(&mut self, user: u32, title: String) -> Item {
        self.last_id += 1;
        let item = Item {
            id: self.last_id,
            user,
            title,
        };
        let items = self.by_user.entry(user).or_default();
        if items.len() == ITEMS_PER_USER {
            items.pop_front();
        }
        items.push_back(item.clone());
        item
    }
}
