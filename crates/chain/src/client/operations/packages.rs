use sui_sdk_types::{Address, Identifier, StructTag};

use crate::client::{Bytecode, Node, Package, Ptb, Published, Receipt, Session, calls};
use crate::error::Error;
use crate::wallet::Account;

impl Session {
    /// Publishes the package and opens a session for it. The UpgradeCap goes to the wallet.
    pub async fn publish(node: Node, account: Account, bytecode: &Bytecode) -> Result<(Self, Published), Error> {
        let nothing = Package { id: Address::ZERO, origin: Address::ZERO };
        let mut session = Self::new(node, nothing, account);
        let sender = session.address();
        let receipt = session
            .run(0, || {
                let mut ptb = Ptb::new(Address::ZERO);
                let cap = ptb.builder().publish(bytecode.modules.clone(), bytecode.dependencies.clone());
                ptb.transfer(vec![cap], sender);
                ptb
            })
            .await?;
        let cap_type = StructTag::new(
            Address::TWO,
            Identifier::from_static("package"),
            Identifier::from_static("UpgradeCap"),
            Vec::new(),
        );
        let created: Vec<_> = receipt.created().collect();
        let objects = session.node.objects(&created).await?;
        let mut upgrade_cap = None;
        let mut package = None;
        for object in objects.into_iter().flatten() {
            match object.as_struct() {
                None => package = Some(object.object_id()),
                Some(content) if *content.object_type() == cap_type => upgrade_cap = Some(object.object_id()),
                Some(_) => {}
            }
        }
        let (Some(package), Some(upgrade_cap)) = (package, upgrade_cap) else {
            return Err(session.node.invalid("a published package with its upgrade cap"));
        };
        session.package = Package::load(&session.node, package).await?;
        let published = Published { package: session.package, upgrade_cap, digest: receipt.digest };
        Ok((session, published))
    }

    /// Ends all upgrades of the package.
    pub async fn make_immutable(&self, upgrade_cap: Address) -> Result<Receipt, Error> {
        self.run(0, || {
            let mut ptb = Ptb::new(self.package.id);
            let cap = ptb.owned(upgrade_cap);
            calls::make_immutable(&mut ptb, cap);
            ptb
        })
        .await
    }

    /// Puts upgrades behind a delay that nobody can shorten.
    pub async fn lock_upgrades(&self, upgrade_cap: Address, delay_ms: u64) -> Result<Receipt, Error> {
        self.run(0, || {
            let mut ptb = Ptb::new(self.package.id);
            let cap = ptb.owned(upgrade_cap);
            calls::upgrade_lock::lock(&mut ptb, cap, delay_ms);
            ptb
        })
        .await
    }
}
