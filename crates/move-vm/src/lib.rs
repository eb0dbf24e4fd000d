//! daas-move-vm
