//! Which values met in a command, and whether a hot potato is among them: a private `entry` function takes no argument
//! that could still be under the influence of one (sui-adapter/static_programmable_transactions/typing/verify/
//! private_entry_arguments.rs).
//!
//! Every input starts in a clique of its own; a command merges the cliques of its arguments, and its results join them.
//! A clique is hot while it holds a result with neither `drop` nor `store`, and for good once a shared object was
//! consumed in it.

/// A set of values that met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clique(usize);

#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// Set when the clique was merged into another.
    merged_into: Option<usize>,
    hot_potatoes: usize,
    always_hot: bool,
}

/// All cliques of a transaction.
#[derive(Debug, Default)]
pub(super) struct Cliques(Vec<Node>);

impl Cliques {
    /// A clique of one cold value.
    pub(super) fn alone(&mut self) -> Clique {
        self.0.push(Node::default());
        Clique(self.0.len() - 1)
    }

    /// Merges cliques into one.
    pub(super) fn merge(&mut self, cliques: &[Clique]) -> Clique {
        let Some((first, others)) = cliques.split_first() else { return self.alone() };
        let root = self.root(*first);
        for other in others {
            let other = self.root(*other);
            if other != root {
                let node = std::mem::replace(&mut self.0[other], Node { merged_into: Some(root), ..Node::default() });
                self.0[root].hot_potatoes += node.hot_potatoes;
                self.0[root].always_hot |= node.always_hot;
            }
        }
        Clique(root)
    }

    /// A hot potato joins the clique.
    pub(super) fn heat(&mut self, clique: Clique) {
        let root = self.root(clique);
        self.0[root].hot_potatoes += 1;
    }

    /// A hot potato of the clique is used up.
    pub(super) fn cool(&mut self, clique: Clique) {
        let root = self.root(clique);
        self.0[root].hot_potatoes = self.0[root].hot_potatoes.saturating_sub(1);
    }

    /// A shared object was consumed in the clique.
    pub(super) fn heat_for_good(&mut self, clique: Clique) {
        let root = self.root(clique);
        self.0[root].always_hot = true;
    }

    /// Whether a private entry function must not take values of the clique.
    pub(super) fn is_hot(&self, clique: Clique) -> bool {
        let node = &self.0[self.root(clique)];
        node.always_hot || node.hot_potatoes > 0
    }

    fn root(&self, clique: Clique) -> usize {
        let mut at = clique.0;
        while let Some(next) = self.0[at].merged_into {
            at = next;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_spreads_by_meeting_and_goes_with_the_potato() {
        let mut cliques = Cliques::default();
        let (one, two, three) = (cliques.alone(), cliques.alone(), cliques.alone());
        cliques.heat(one);
        assert!(cliques.is_hot(one) && !cliques.is_hot(two));
        let merged = cliques.merge(&[two, one]);
        assert!(cliques.is_hot(two) && cliques.is_hot(merged) && !cliques.is_hot(three));
        cliques.cool(one);
        assert!(!cliques.is_hot(two));
    }

    #[test]
    fn a_consumed_shared_object_heats_for_good() {
        let mut cliques = Cliques::default();
        let (one, two) = (cliques.alone(), cliques.alone());
        cliques.heat_for_good(one);
        cliques.merge(&[one, two]);
        cliques.cool(two);
        assert!(cliques.is_hot(two));
    }
}
