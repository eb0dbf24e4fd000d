//! containerd is ready when it answers and the node's own images are in it: a kubelet that starts earlier would look for them elsewhere
//! and wait before it looks again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use daas_supervise::Probe;
use tokio::task::JoinHandle;

use crate::config::Layout;
use crate::images::Images;
use crate::{Plan, probe};

/// Loads images once, as soon as containerd answers.
pub(crate) struct Preload {
    socket: PathBuf,
    inner: Arc<Inner>,
}

struct Inner {
    images: Option<Images>,
    progress: Mutex<Progress>,
}

enum Progress {
    NotBegun,
    Loading(String, JoinHandle<()>),
    Done,
}

impl Preload {
    pub(crate) fn of(plan: &Plan, layout: &Layout) -> Self {
        let images = plan.images.as_ref().map(|folder| Images::of(folder, &plan.programs, layout));
        let progress = if images.is_some() { Progress::NotBegun } else { Progress::Done };
        Self { socket: layout.containerd_socket(), inner: Arc::new(Inner { images, progress: Mutex::new(progress) }) }
    }

    /// Whether containerd answers and has the images.
    pub(crate) fn ready(&self) -> Probe {
        let (socket, inner) = (self.socket.clone(), Arc::clone(&self.inner));
        Arc::new(move || {
            let (socket, inner) = (socket.clone(), Arc::clone(&inner));
            Box::pin(async move {
                probe::grpc(socket).await?;
                inner.look()
            })
        })
    }

    /// Whether containerd answers.
    pub(crate) fn alive(&self) -> Probe {
        let socket = self.socket.clone();
        Arc::new(move || Box::pin(probe::grpc(socket.clone())))
    }
}

impl Drop for Preload {
    fn drop(&mut self) {
        if let Progress::Loading(_, task) = &*self.inner.progress() {
            task.abort();
        }
    }
}

impl Inner {
    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to load when nobody does; the error says how far it is.
    fn look(self: &Arc<Self>) -> Result<(), String> {
        let mut progress = self.progress();
        match (&*progress, &self.images) {
            (Progress::Done, _) | (_, None) => Ok(()),
            (Progress::Loading(what, _), _) => Err(what.clone()),
            (Progress::NotBegun, Some(images)) => {
                let task = tokio::spawn(Arc::clone(self).load(images.clone()));
                *progress = Progress::Loading("looking for images".into(), task);
                Err("looking for images".into())
            }
        }
    }

    async fn load(self: Arc<Self>, images: Images) {
        let telling = |what: String| {
            if let Progress::Loading(told, _) = &mut *self.progress() {
                *told = what;
            }
        };
        let end = match images.load(telling).await {
            Ok(()) => Progress::Done,
            // containerd ended meanwhile, or is not itself yet: the next question begins anew.
            Err(error) => {
                tracing::warn!(%error, "images could not be looked for");
                Progress::NotBegun
            }
        };
        *self.progress() = end;
    }
}
