use callslip_ir::{Description, Node, NodeId, NodeKind, Place, Query, SlotId, SlotType};

/// A description that is changed: nodes are taken out and put in, and those that are left keep their order.
pub(super) struct Tree {
    slots: Vec<SlotType>,
    files: Vec<String>,
    nodes: Vec<Option<Node>>,
}

impl Tree {
    pub fn of(description: &Description) -> Self {
        let Description { slots, files, nodes } = description.clone();
        Self { slots, files, nodes: nodes.into_iter().map(Some).collect() }
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)?.as_ref()
    }

    /// What a node is; an empty row, if there is none.
    pub fn kind(&self, id: NodeId) -> &NodeKind {
        const NONE: &NodeKind = &NodeKind::Row(Vec::new());
        self.node(id).map_or(NONE, |node| &node.kind)
    }

    pub fn place(&self, id: NodeId) -> Option<Place> {
        self.node(id).and_then(|node| node.place)
    }

    /// Takes a node out. Whatever refers to it has to be taken out too.
    pub fn take(&mut self, id: NodeId) -> NodeKind {
        let taken = self.nodes.get_mut(id.0 as usize).and_then(Option::take);
        taken.map_or(NodeKind::Row(Vec::new()), |node| node.kind)
    }

    /// Puts a node in behind all others, to which it may refer.
    pub fn push(&mut self, kind: NodeKind, place: Option<Place>) -> NodeId {
        self.nodes.push(Some(Node { kind, place }));
        NodeId(self.nodes.len() as u32 - 1)
    }

    pub fn slot(&mut self, ty: SlotType) -> SlotId {
        self.slots.push(ty);
        SlotId(self.slots.len() as u32 - 1)
    }

    /// The description, with a query as its last node.
    pub fn finish(mut self, query: Query, place: Option<Place>) -> Description {
        self.push(NodeKind::Query(query), place);
        let mut numbers = Vec::with_capacity(self.nodes.len());
        let mut left = 0;
        for node in &self.nodes {
            numbers.push(NodeId(left));
            left += u32::from(node.is_some());
        }
        let renumbered = |node: Node| {
            let kind =
                node.kind.map_children(|child| numbers.get(child.0 as usize).copied().unwrap_or(child));
            Node { kind, place: node.place }
        };
        let nodes = self.nodes.into_iter().flatten().map(renumbered).collect();
        Description { slots: self.slots, files: self.files, nodes }
    }
}
