//! `TransactionExecutionService`: execute and simulate.

use std::sync::Arc;

use sui_rpc::proto::sui::rpc::v2::{
    self as pb, simulate_transaction_request::TransactionChecks,
    transaction_execution_service_server::TransactionExecutionService,
};
use sui_sdk_types::{Argument, Transaction, UserSignature};
use tonic::{Request, Response, Status};

use super::{Api, render, resolve, status};
use crate::{
    execution::{Checks, CommandOutput, Executed, OutputValue},
    ledger::{ExecutedRecord, REFERENCE_GAS_PRICE, TransactionRecord, VerifiedTransaction},
};

#[tonic::async_trait]
impl TransactionExecutionService for Api {
    async fn execute_transaction(
        &self,
        request: Request<pb::ExecuteTransactionRequest>,
    ) -> Result<Response<pb::ExecuteTransactionResponse>, Status> {
        let request = request.into_inner();
        let mask = status::read_mask::<pb::ExecutedTransaction>(request.read_mask, "effects.status,checkpoint")?;
        let transaction = request.transaction.as_ref().ok_or_else(|| status::missing("transaction"))?;
        let transaction = Transaction::try_from(transaction).map_err(|error| status::from_proto_error(&error))?;
        let signatures = request
            .signatures
            .iter()
            .map(|signature| {
                UserSignature::try_from(signature)
                    .map_err(|error| status::from_proto_error(&error.nested("signatures")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let verified = VerifiedTransaction::check(transaction, signatures).map_err(status::from_error)?;
        let submitted = self.ledger.submit(verified).await.map_err(status::from_error)?;

        let mut response = pb::ExecuteTransactionResponse::default();
        response.transaction = Some(render::transaction(&submitted.executed, submitted.position, &mask));
        Ok(Response::new(response))
    }

    async fn simulate_transaction(
        &self,
        request: Request<pb::SimulateTransactionRequest>,
    ) -> Result<Response<pb::SimulateTransactionResponse>, Status> {
        let request = request.into_inner();
        let mask = status::read_mask::<pb::SimulateTransactionResponse>(request.read_mask.clone(), "*")?;
        let checks = match request.checks() {
            TransactionChecks::Disabled => Checks::Disabled,
            _ => Checks::Enabled,
        };
        let select_gas = request.do_gas_selection() && checks == Checks::Enabled;
        let unresolved = request.transaction.ok_or_else(|| status::missing("transaction"))?;

        let _turn = self.simulations.acquire().await.map_err(|_| Status::unavailable("the chain is stopping"))?;
        let (transaction, executed) =
            self.blocking(move |ledger| Ok(resolve::simulate(ledger, &unresolved, checks, select_gas))).await??;

        let mut response = pb::SimulateTransactionResponse::default();
        if mask.contains("command_outputs") {
            response.command_outputs = executed.command_outputs.iter().map(command_result).collect();
        }
        if let Some(mask) = mask.subtree("transaction") {
            response.transaction = Some(render::transaction(&record(transaction, executed), None, &mask));
        }
        if mask.contains("suggested_gas_price") {
            response.suggested_gas_price = Some(REFERENCE_GAS_PRICE);
        }
        Ok(Response::new(response))
    }
}

fn record(transaction: Transaction, executed: Executed) -> ExecutedRecord {
    let mut objects = executed.inputs;
    objects.extend(executed.written.into_iter().map(Arc::new));
    objects.sort_by_key(|object| (object.object_id(), object.version()));
    objects.dedup_by_key(|object| (object.object_id(), object.version()));
    let record = TransactionRecord {
        transaction,
        signatures: Vec::new(),
        effects: executed.effects,
        events: executed.events,
        balance_changes: executed.balance_changes,
        objects: Vec::new(),
    };
    ExecutedRecord { record, objects }
}

fn command_result(output: &CommandOutput) -> pb::CommandResult {
    let mut result = pb::CommandResult::default();
    result.return_values = output.return_values.iter().map(|value| command_output(None, value)).collect();
    result.mutated_by_ref =
        output.mutated.iter().map(|(argument, value)| command_output(Some(*argument), value)).collect();
    result
}

fn command_output(argument: Option<Argument>, value: &OutputValue) -> pb::CommandOutput {
    let mut bcs = pb::Bcs::from(value.bcs.clone());
    bcs.name = Some(value.type_tag.to_string());
    let mut output = pb::CommandOutput::default();
    output.argument = argument.map(Into::into);
    output.value = Some(bcs);
    output
}
