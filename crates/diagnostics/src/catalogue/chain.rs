//! 12xx: reaching the chain, and whether it is the right one.

super::entries! { range 12;
    1201 CHAIN_UNREACHABLE ["endpoint"] []
    en { "The Sui node {endpoint} cannot be reached" "The connection was refused, the name is unknown, or the network is down."
        ["Check the address and the network; on a development machine: daas doctor."] ["Start the development chain with: make up."] ["Name another node with the setting sui_rpc_endpoint (daas-staker) or rpc (daas)."] }
    ko { "Sui 노드에 연결할 수 없습니다: {endpoint}" "연결이 거부되었거나, 이름을 찾을 수 없거나, 네트워크가 끊어졌습니다."
        ["주소와 네트워크를 확인하세요. 개발 환경이라면 daas doctor 명령을 보세요."] ["개발용 체인은 make up 명령으로 시작합니다."] ["다른 노드는 sui_rpc_endpoint(daas-staker) 또는 rpc(daas) 설정으로 지정하세요."] }

    1202 CHAIN_TIMEOUT ["endpoint", "seconds"] []
    en { "The Sui node {endpoint} did not answer within {seconds} s" "The node is overloaded or stuck, or something on the way drops packets."
        ["Try again in a moment."] ["Use another node, or several in quorum mode."] }
    ko { "Sui 노드 {endpoint}이(가) {seconds}초 안에 응답하지 않았습니다" "노드가 과부하이거나 멈췄거나, 중간에서 패킷이 사라지고 있습니다."
        ["잠시 뒤 다시 시도하세요."] ["다른 노드를 쓰거나, 여러 노드를 quorum 모드로 쓰세요."] }

    1203 WRONG_NETWORK ["endpoint", "expected", "actual"] []
    en { "The node {endpoint} serves another network than the one configured" "The settings ask for chain {expected}, but the node says it is {actual}. Nothing was sent."
        ["Correct the endpoint, or the setting chain_id if this network is the one you want."] ["A development chain whose state was deleted comes back as a new chain: publish and create the cluster again."] }
    ko { "노드 {endpoint}이(가) 설정과 다른 네트워크에 있습니다" "설정된 체인은 {expected}인데 노드의 체인은 {actual}입니다. 아무것도 보내지 않았습니다."
        ["엔드포인트를 고치거나, 이 네트워크가 맞다면 chain_id 설정을 고치세요."] ["개발용 체인은 상태를 지우면 새 체인이 됩니다. 패키지 배포와 클러스터 생성을 다시 하세요."] }

    1204 WRONG_PACKAGE ["package", "reason"] []
    en { "{package} is not the K3s-DaaS package" "{reason}."
        ["Check the setting contract_address (daas-staker) or package (daas)."] ["The published addresses of each network are in the folder move/; on a development machine: daas doctor."] }
    ko { "K3s-DaaS 패키지가 아닙니다: {package}" "이유: {reason}."
        ["contract_address(daas-staker) 또는 package(daas) 설정을 확인하세요."] ["네트워크별 배포 주소는 move/ 폴더에 있습니다. 개발 환경이라면 daas doctor 명령을 보세요."] }

    1205 WRONG_CLUSTER ["expected", "actual"] []
    en { "This belongs to another cluster" "Expected cluster {expected}, but found {actual}. A stake, a grant, a token or an admin cap counts only in its own cluster."
        ["Check the setting cluster."] ["Look at the cluster with: daas cluster show."] }
    ko { "다른 클러스터에 속한 대상입니다" "필요한 클러스터는 {expected}인데 실제는 {actual}입니다. 스테이크, 권한, 토큰, 관리 권한은 자기 클러스터에서만 유효합니다."
        ["cluster 설정을 확인하세요."] ["daas cluster show 명령으로 클러스터를 확인하세요."] }

    1206 CHAIN_VIEW_STALE ["age", "limit"] []
    en { "What is known of the chain is too old to decide on" "The newest checkpoint seen is {age} old, the limit is {limit}. Old knowledge could hide a slash, so everything is refused until it is fresh."
        ["Check the connection to the Sui nodes: daas doctor."] ["If a node has stopped following the chain, use another one, or several in quorum mode."] }
    ko { "체인 정보가 너무 오래되어 판단할 수 없습니다" "마지막으로 본 체크포인트가 {age} 지났고 한도는 {limit}입니다. 오래된 정보는 슬래싱을 감출 수 있으므로 새 정보가 올 때까지 모두 거부합니다."
        ["daas doctor 명령으로 Sui 노드 연결을 확인하세요."] ["노드가 체인을 따라가지 못하면 다른 노드를 쓰거나, 여러 노드를 quorum 모드로 쓰세요."] }

    1207 QUORUM_DISAGREEMENT ["agreeing", "needed", "total"] []
    en { "The Sui nodes contradict each other" "Only {agreeing} of {total} nodes give the same answer, {needed} are needed. At least one of them lies or lags."
        ["Find the node that differs with: daas doctor."] ["Replace it in the setting rpc."] }
    ko { "Sui 노드들의 응답이 서로 다릅니다" "노드 {total}개 중 {agreeing}개만 같은 응답이고 {needed}개가 필요합니다. 적어도 하나는 거짓이거나 뒤처져 있습니다."
        ["daas doctor 명령으로 다른 응답을 주는 노드를 찾으세요."] ["rpc 설정에서 그 노드를 바꾸세요."] }

    1208 QUORUM_UNREACHABLE ["answered", "needed", "total"] []
    en { "Too few Sui nodes answer" "{answered} of {total} nodes answered, {needed} are needed for a quorum."
        ["Check the network and the nodes in the setting rpc."] }
    ko { "응답하는 Sui 노드가 부족합니다" "노드 {total}개 중 {answered}개만 응답했고 정족수는 {needed}개입니다."
        ["네트워크와 rpc 설정의 노드들을 확인하세요."] }

    1209 CALL_NOT_SERVED ["endpoint", "method"] []
    en { "The node {endpoint} does not serve {method}" "The node answered UNIMPLEMENTED: it is too old, serves another API (JSON-RPC), or is a development chain that leaves this call out."
        ["Use a full node that serves the gRPC API."] }
    ko { "노드 {endpoint}에 없는 기능입니다: {method}" "노드가 UNIMPLEMENTED로 응답했습니다. 너무 오래되었거나, 다른 API(JSON-RPC)이거나, 이 호출이 빠진 개발용 체인입니다."
        ["gRPC API를 제공하는 풀 노드를 사용하세요."] }

    1210 CHAIN_ANSWER_INVALID ["endpoint", "what"] []
    en { "The node {endpoint} gave an answer that makes no sense" "It could not be read as {what}. The node is faulty or hostile, or its version does not fit."
        ["Use another node."] ["If all nodes do this, update this program."] }
    ko { "노드 {endpoint}의 응답을 해석할 수 없습니다" "{what}(으)로 읽을 수 없습니다. 노드에 문제나 악의가 있거나 버전이 맞지 않습니다."
        ["다른 노드를 사용하세요."] ["모든 노드가 그렇다면 이 프로그램을 업데이트하세요."] }

    1211 RATE_LIMITED ["endpoint"] []
    en { "The node {endpoint} refuses more requests for now" "Public nodes limit how often one address may ask."
        ["Wait a minute and try again."] ["Use a node of your own, or one with an account."] }
    ko { "노드 {endpoint}이(가) 요청을 잠시 제한하고 있습니다" "공개 노드는 주소마다 요청 횟수를 제한합니다."
        ["1분쯤 기다렸다가 다시 시도하세요."] ["직접 운영하는 노드나 계정이 있는 노드를 사용하세요."] }

    1212 OUTCOME_UNKNOWN ["digest"] []
    en { "It is not known whether transaction {digest} was executed" "The connection broke after the transaction was sent. It may still be executed."
        ["Run the same command again: it looks for the outcome first and never pays twice."] }
    ko { "트랜잭션 {digest}의 실행 여부를 알 수 없습니다" "트랜잭션을 보낸 뒤 연결이 끊어졌습니다. 아직 실행될 수 있습니다."
        ["같은 명령을 다시 실행하세요. 먼저 결과를 확인하므로 두 번 지불하지 않습니다."] }

    1213 CLUSTER_TOO_NEW ["cluster", "version", "known"] []
    en { "The cluster {cluster} is newer than this program" "Its data are of version {version}, this program knows {known} and does not guess what a newer package means by them."
        ["Update this program."] ["Your money is not locked: daas unstake and daas withdraw work with every version."] }
    ko { "프로그램보다 새로운 클러스터입니다: {cluster}" "데이터 버전은 {version}, 이 프로그램이 아는 버전은 {known}입니다. 새 패키지의 뜻을 추측하지 않습니다."
        ["이 프로그램을 업데이트하세요."] ["돈이 묶인 것은 아닙니다. daas unstake와 daas withdraw는 모든 버전에서 됩니다."] }
}
