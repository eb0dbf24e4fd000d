//! 13xx: what the contract or the transaction rules refuse.

super::entries! { range 13;
    1301 STAKE_TOO_SMALL ["amount", "minimum"] []
    en { "The stake is too small" "{amount} was offered, the cluster asks for at least {minimum}."
        ["Stake {minimum} or more."] ["See the minimum of each tier with: daas cluster show."] }
    ko { "스테이크가 너무 적습니다" "제시한 금액은 {amount}, 클러스터의 최소 금액은 {minimum}입니다."
        ["{minimum} 이상을 스테이킹하세요."] ["등급별 최소 금액은 daas cluster show 명령으로 볼 수 있습니다."] }

    1302 NO_GAS ["address"] []
    en { "The wallet {address} cannot pay for gas" "It owns no SUI coin that is large enough for the gas budget, or none besides the coin that is being staked."
        ["Send some SUI to {address}."] ["On the development chain its faucet gives some, see: daas-devnet --help."] ["A smaller gas_budget may be enough."] }
    ko { "지갑에 가스비가 없습니다: {address}" "가스 한도를 낼 만한 SUI 코인이 없거나, 스테이킹할 코인 말고는 없습니다."
        ["{address} 주소로 SUI를 보내세요."] ["개발용 체인에서는 수도꼭지(faucet)에서 받을 수 있습니다: daas-devnet --help."] ["gas_budget을 낮추면 충분할 수도 있습니다."] }

    1303 INSUFFICIENT_BALANCE ["address", "balance", "needed"] []
    en { "The wallet {address} does not hold enough SUI" "Its balance is {balance}, but {needed} are needed, gas included."
        ["Send SUI to {address}, or use a smaller amount."] }
    ko { "지갑의 SUI가 부족합니다: {address}" "잔액은 {balance}인데 가스비를 포함해 {needed}이(가) 필요합니다."
        ["{address} 주소로 SUI를 보내거나 금액을 줄이세요."] }

    1304 GAS_BUDGET_EXCEEDED ["budget", "cost"] []
    en { "The transaction needs more gas than it may spend" "The gas budget of {budget} is not enough. {cost}."
        ["Raise the setting gas_budget; left out, it is estimated, up to 1 SUI."] ["Check what the node says of the gas price with another node: --rpc."] }
    ko { "트랜잭션의 가스 한도가 모자랍니다" "가스 한도 {budget}으로는 부족합니다. {cost}."
        ["gas_budget 설정을 올리세요. 지우면 1 SUI까지 자동으로 추정합니다."] ["노드가 말하는 가스 가격이 맞는지 다른 노드와 비교하세요: --rpc."] }

    1305 TRANSACTION_ABORTED ["module", "constant", "meaning", "cost"] []
    en { "The contract refused the transaction: {module}::{constant}" "{meaning}. {cost}."
        ["Look at the state with: daas cluster show and daas node show."] }
    ko { "컨트랙트가 트랜잭션을 거부했습니다: {module}::{constant}" "컨트랙트의 설명: {meaning}. {cost}."
        ["daas cluster show, daas node show 명령으로 상태를 확인하세요."] }

    1306 TRANSACTION_REJECTED ["reason"] []
    en { "The chain did not accept the transaction" "{reason}. Nothing was executed and nothing was paid."
        ["Try again; if it stays, look at the wallet and its objects with: daas doctor."] }
    ko { "체인이 트랜잭션을 받지 않았습니다" "이유: {reason}. 실행되지도, 비용이 나가지도 않았습니다."
        ["다시 시도하세요. 계속되면 daas doctor 명령으로 지갑과 객체를 확인하세요."] }

    1307 OBJECT_NOT_FOUND ["kind", "object"] []
    en { "There is no {kind} {object} on this chain" "The id is wrong, the object was deleted or wrapped, or it lives on another network."
        ["Check the id."] ["Check the network with: daas doctor."] }
    ko { "체인에 {kind} 객체가 없습니다: {object}" "ID가 틀렸거나, 객체가 삭제 또는 포장되었거나, 다른 네트워크에 있습니다."
        ["ID를 확인하세요."] ["daas doctor 명령으로 네트워크를 확인하세요."] }

    1308 OBJECT_OF_OTHER_TYPE ["object", "expected", "actual"] []
    en { "{object} is not what was expected" "Expected {expected}, but it is {actual}."
        ["Check that the id was not mistaken for another, and that it comes from the configured package."] }
    ko { "예상한 종류의 객체가 아닙니다: {object}" "필요한 타입은 {expected}, 실제 타입은 {actual}입니다."
        ["ID를 다른 것과 혼동하지 않았는지, 설정된 패키지의 객체인지 확인하세요."] }

    1309 OBJECT_VERSION_CONFLICT ["object"] []
    en { "{object} was changed by somebody else at the same time" "Another transaction used the same object first, and several new attempts met the same fate."
        ["Try again."] ["Do not run two commands with one wallet at the same time."] }
    ko { "다른 트랜잭션이 동시에 객체를 바꾸었습니다: {object}" "다른 트랜잭션이 같은 객체를 먼저 사용했고, 여러 번 다시 시도해도 마찬가지였습니다."
        ["다시 시도하세요."] ["한 지갑으로 두 명령을 동시에 실행하지 마세요."] }

    1310 NOT_OWNER ["object", "owner", "sender"] []
    en { "{object} does not belong to this wallet" "Its owner is {owner}, but the transaction comes from {sender}. Only the owner may do this."
        ["Use the wallet of the owner: setting address, or sui_private_key for daas-staker."] }
    ko { "이 지갑의 소유가 아닙니다: {object}" "소유자는 {owner}인데 트랜잭션을 보낸 주소는 {sender}입니다. 소유자만 할 수 있는 일입니다."
        ["소유자의 지갑을 사용하세요. address 설정 또는 daas-staker의 sui_private_key 설정입니다."] }

    1311 ADMIN_CAP_MISSING ["cluster", "address"] []
    en { "{address} is not the operator of cluster {cluster}" "The wallet does not hold the admin cap of this cluster. A cap of another cluster does not count."
        ["Use the wallet that created the cluster, or the one the cap was handed to."] }
    ko { "{address}은(는) 클러스터 {cluster}의 운영자가 아닙니다" "지갑에 이 클러스터의 관리 권한(AdminCap)이 없습니다. 다른 클러스터의 권한은 인정되지 않습니다."
        ["클러스터를 만든 지갑이나 권한을 넘겨받은 지갑을 사용하세요."] }

    1312 GRANT_MISSING ["tier", "address"] []
    en { "{address} has no grant for the tier \"{tier}\"" "A stake alone buys a worker's place. The reader and admin tiers also need the operator's grant on chain."
        ["Ask the operator to run: daas cluster grant."] }
    ko { "{address} 주소에 \"{tier}\" 등급 권한이 없습니다" "스테이킹만으로는 워커 자리만 얻습니다. reader와 admin 등급에는 운영자가 체인에서 준 권한도 필요합니다."
        ["운영자에게 daas cluster grant 명령을 요청하세요."] }

    1313 ALREADY_STAKED ["node", "stake"] []
    en { "{node} already has a stake" "The stake {stake} of this wallet is for the same node in this cluster. A second one was not made."
        ["Go on with the existing stake: daas node show {node}."] ["To add money to it: daas top-up."] }
    ko { "{node} 노드에 이미 스테이크가 있습니다" "이 지갑의 스테이크 {stake}이(가) 이 클러스터의 같은 노드에 있습니다. 새로 만들지 않았습니다."
        ["기존 스테이크를 계속 사용하세요: daas node show {node}."] ["금액을 더하려면 daas top-up 명령을 사용하세요."] }

    1314 STILL_UNBONDING ["stake", "until"] []
    en { "The stake {stake} is still unbonding" "It can be withdrawn from {until}. Until then it can be slashed for what happened before."
        ["Run the withdrawal again after that time: daas withdraw."] }
    ko { "스테이크 {stake}은(는) 아직 해제 대기 중입니다" "출금 가능 시각: {until}. 그때까지는 이전 행위로 슬래싱될 수 있습니다."
        ["그 시각 뒤에 daas withdraw 명령을 다시 실행하세요."] }

    1315 ALREADY_WITHDRAWN ["stake"] []
    en { "The stake {stake} has already been withdrawn" "Its money went back to the owner; a stake pays out once."
        ["Nothing is left to do. To take part again, make a new stake: daas stake."] }
    ko { "이미 출금한 스테이크입니다: {stake}" "돈은 소유자에게 돌아갔으며, 스테이크는 한 번만 지급합니다."
        ["더 할 일은 없습니다. 다시 참여하려면 daas stake 명령으로 새로 스테이킹하세요."] }

    1316 WORKER_CAP_REACHED ["limit"] []
    en { "The cluster takes no more workers" "All of its {limit} places are taken."
        ["Wait until a worker leaves: daas node list."] ["Ask the operator for more places, or stake in another cluster."] }
    ko { "클러스터에 빈 워커 자리가 없습니다" "자리 {limit}개가 모두 찼습니다."
        ["워커가 나갈 때까지 기다리세요: daas node list."] ["운영자에게 자리를 늘려 달라고 하거나 다른 클러스터에 스테이킹하세요."] }

    1317 TIER_NOT_OPEN ["tier"] []
    en { "The tier \"{tier}\" is not open in this cluster" "The operator has not opened it, neither to grants nor to stakes alone."
        ["See the open tiers with: daas cluster show."] }
    ko { "이 클러스터에서 열려 있지 않은 등급입니다: \"{tier}\"" "운영자가 권한으로도 스테이크만으로도 열어 두지 않았습니다."
        ["열린 등급은 daas cluster show 명령으로 확인하세요."] }

    1318 UNKNOWN_NODE ["name", "cluster"] ["nearest"]
    en { "There is no node called \"{name}\"" "No stake in cluster {cluster} has this node name. Full names end in '-' and eight hex digits."
        ["Did you mean \"{nearest}\"?"] ["See all names with: daas node list."] }
    ko { "노드를 찾을 수 없습니다: \"{name}\"" "클러스터 {cluster}에 이 이름의 스테이크가 없습니다. 전체 이름은 '-'와 16진수 여덟 자리로 끝납니다."
        ["혹시 \"{nearest}\" 노드를 뜻했나요?"] ["모든 이름은 daas node list 명령으로 볼 수 있습니다."] }

    1319 STAKE_SLASHED ["stake"] []
    en { "The stake {stake} has been slashed" "Slashed is final: this stake, its node name and its Seal token do not come back."
        ["Find out why: daas node show."] ["What the cluster left of the stake can be withdrawn: daas withdraw."] ["After the cause is removed, the wallet may stake again; the node gets a new name."] }
    ko { "슬래싱된 스테이크입니다: {stake}" "슬래싱은 되돌릴 수 없습니다. 이 스테이크와 노드 이름, Seal 토큰은 다시 쓸 수 없습니다."
        ["daas node show 명령으로 이유를 확인하세요."] ["남은 금액은 daas withdraw 명령으로 출금할 수 있습니다."] ["원인을 없앤 뒤 다시 스테이킹할 수 있으며, 노드는 새 이름을 받습니다."] }

    1320 STAKE_NOT_ACTIVE ["stake", "state"] []
    en { "The stake {stake} is not active" "Its state is {state}; only an active stake can do this."
        ["Look at it with: daas node show."] ["To take part again, make a new stake: daas stake."] }
    ko { "활성 상태가 아닌 스테이크입니다: {stake}" "현재 상태는 {state}이며, 활성 스테이크만 할 수 있는 일입니다."
        ["daas node show 명령으로 상태를 확인하세요."] ["다시 참여하려면 daas stake 명령으로 새로 스테이킹하세요."] }

    1321 TOKEN_EXISTS ["stake", "token"] []
    en { "The stake {stake} already has a Seal token" "Its token is {token}; a stake has one at a time."
        ["Use it: daas token."] ["If its session key is lost, rotate the key."] }
    ko { "스테이크 {stake}에 이미 Seal 토큰이 있습니다" "토큰은 {token}이며, 스테이크마다 하나씩입니다."
        ["daas token 명령으로 사용하세요."] ["세션 키를 잃었다면 키를 교체하세요."] }

    1322 RELEASE_UNKNOWN ["release"] []
    en { "The release {release} is not published for this cluster" "None of the cluster's releases has these measurements."
        ["See them with: daas release list."] ["Publish it: daas release publish FILE."] }
    ko { "이 클러스터에 게시되지 않은 릴리스입니다: {release}" "클러스터의 릴리스 중 이 측정값을 가진 것이 없습니다."
        ["daas release list 명령으로 목록을 확인하세요."] ["daas release publish 파일 명령으로 게시하세요."] }

    1323 RELEASE_NOT_ACTIVE ["release", "state"] []
    en { "The release {release} is not active" "Its state is {state}; only active releases, and retiring ones before their time, are accepted."
        ["See all releases with: daas release list."] ["Upgrade to an active release."] }
    ko { "활성 상태가 아닌 릴리스입니다: {release}" "현재 상태는 {state}이며, 활성 릴리스와 기한 전의 은퇴 예정 릴리스만 인정됩니다."
        ["daas release list 명령으로 목록을 확인하세요."] ["활성 릴리스로 업그레이드하세요."] }

    1324 RELEASE_PENDING ["release", "missing"] []
    en { "The release {release} is not yet effective" "The cluster delays releases or asks for auditors' signatures; still missing: {missing}."
        ["Wait for the time to pass or for the auditors to sign: daas release list."] }
    ko { "아직 효력이 없는 릴리스입니다: {release}" "클러스터가 대기 시간이나 감사자 서명을 요구합니다. 남은 조건: {missing}."
        ["시간이 지나거나 감사자가 서명할 때까지 기다리세요: daas release list."] }

    1325 RELEASE_EXISTS ["release"] []
    en { "The release {release} is already published" "The cluster has a release with the same measurements."
        ["Nothing is left to do: daas release list."] }
    ko { "이미 게시된 릴리스입니다: {release}" "클러스터에 같은 측정값의 릴리스가 있습니다."
        ["더 할 일은 없습니다: daas release list."] }

    1326 TERMS_CHANGED ["cluster"] []
    en { "The cluster's terms have changed since they were read" "The operator of {cluster} changed minimum stake, unbonding time, slash share, treasury or consequences just now. The contract takes a stake only on terms that the staker names, so nothing was paid in."
        ["Look at the new terms with: daas cluster show."] ["If they still suit you, run the same command again."] }
    ko { "읽은 뒤에 클러스터의 조건이 바뀌었습니다" "클러스터 {cluster} 운영자가 방금 최소 스테이크, 해제 대기 시간, 슬래싱 비율, 금고, 위반 처리 중 하나를 바꾸었습니다. 컨트랙트는 스테이커가 밝힌 조건에서만 스테이크를 받으므로 아무것도 지불되지 않았습니다."
        ["새 조건을 확인하세요: daas cluster show."] ["조건이 여전히 괜찮다면 같은 명령을 다시 실행하세요."] }
}
