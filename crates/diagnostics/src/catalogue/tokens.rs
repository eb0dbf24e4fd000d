//! 14xx: Seal tokens.

super::entries! { range 14;
    1401 TOKEN_MALFORMED ["reason"] []
    en { "This is not a Seal token" "{reason}. A Seal token reads seal1.CLAIMS.SIGNATURE."
        ["Make a new one with: daas token."] ["Check that it was copied whole."] }
    ko { "Seal 토큰이 아닙니다" "이유: {reason}. Seal 토큰은 seal1.클레임.서명 형식입니다."
        ["daas token 명령으로 새로 만드세요."] ["끝까지 복사되었는지 확인하세요."] }

    1402 TOKEN_SIGNATURE_INVALID ["token"] []
    en { "The signature of the Seal token is not valid" "It was not made by the session key that the chain has for token {token}, or the token was changed."
        ["Make a new one with: daas token."] ["If the session key was rotated, use the new key file."] }
    ko { "Seal 토큰의 서명이 올바르지 않습니다" "체인에 등록된 토큰 {token}의 세션 키로 만든 서명이 아니거나 토큰이 변경되었습니다."
        ["daas token 명령으로 새로 만드세요."] ["세션 키를 교체했다면 새 키 파일을 사용하세요."] }

    1403 TOKEN_EXPIRED ["expired", "now"] []
    en { "The Seal token has expired" "It was good until {expired}, now it is {now}. API tokens live 5 minutes at most, join tokens 10."
        ["Make a new one with: daas token. kubectl does so by itself with the kubeconfig of: daas kubeconfig."] ["If it was made just now, set the clock of this machine."] }
    ko { "Seal 토큰이 만료되었습니다" "유효 기한은 {expired}, 현재 시각은 {now}입니다. API 토큰은 최대 5분, 조인 토큰은 최대 10분 동안 유효합니다."
        ["daas token 명령으로 새로 만드세요. daas kubeconfig 명령의 kubeconfig를 쓰면 kubectl이 알아서 갱신합니다."] ["방금 만든 토큰이라면 컴퓨터 시각을 맞추세요."] }

    1404 TOKEN_NOT_YET_VALID ["issued", "now"] []
    en { "The Seal token is not valid yet" "It says that it was issued at {issued}, but now it is {now}; 30 seconds of difference are allowed."
        ["Set the clock of the machine that made the token."] }
    ko { "아직 유효하지 않은 Seal 토큰입니다" "토큰의 발급 시각은 {issued}인데 현재 시각은 {now}입니다. 허용 오차는 30초입니다."
        ["토큰을 만든 컴퓨터의 시각을 맞추세요."] }

    1405 TOKEN_LIFETIME_TOO_LONG ["lifetime", "limit"] []
    en { "The Seal token asks to live too long" "It spans {lifetime}, the limit for its purpose is {limit}."
        ["Make a new one with: daas token."] }
    ko { "Seal 토큰의 유효 기간이 너무 깁니다" "토큰의 기간은 {lifetime}, 용도별 한도는 {limit}입니다."
        ["daas token 명령으로 새로 만드세요."] }

    1406 TOKEN_WRONG_PURPOSE ["expected", "actual"] []
    en { "The Seal token was made for another purpose" "Needed here: {expected}; the token says: {actual}."
        ["Make one for this purpose: daas token --purpose {expected}."] }
    ko { "다른 용도로 만든 Seal 토큰입니다" "여기에 필요한 용도: {expected}, 토큰의 용도: {actual}."
        ["이 용도의 토큰을 만드세요: daas token --purpose {expected}."] }

    1407 TOKEN_WRONG_CLUSTER ["expected", "actual"] []
    en { "The Seal token belongs to another cluster" "This is cluster {expected}, the token says {actual}."
        ["Check the setting cluster and make a new one with: daas token."] }
    ko { "다른 클러스터의 Seal 토큰입니다" "이 클러스터는 {expected}, 토큰의 클러스터는 {actual}입니다."
        ["cluster 설정을 확인하고 daas token 명령으로 새로 만드세요."] }

    1408 TOKEN_WRONG_NETWORK ["expected", "actual"] []
    en { "The Seal token belongs to another network" "This cluster lives on chain {expected}, the token says {actual}."
        ["Check the setting chain_id and make a new one with: daas token."] }
    ko { "다른 네트워크의 Seal 토큰입니다" "이 클러스터의 체인은 {expected}, 토큰의 체인은 {actual}입니다."
        ["chain_id 설정을 확인하고 daas token 명령으로 새로 만드세요."] }

    1409 TOKEN_WRONG_NODE ["expected", "actual"] []
    en { "The Seal token belongs to another node" "The request speaks for node {actual}, but the token is good for {expected} only."
        ["Use the token of this node's own stake."] }
    ko { "다른 노드의 Seal 토큰입니다" "요청한 노드는 {actual}인데 토큰은 {expected} 노드에만 유효합니다."
        ["이 노드의 스테이크로 만든 토큰을 사용하세요."] }

    1410 TOKEN_UNKNOWN ["token"] []
    en { "The chain has no Seal token {token}" "It was never created, or it was deleted, or this program has not seen its creation yet."
        ["Look at the stake with: daas node show."] ["If it was created just now, try again in a second."] }
    ko { "체인에 없는 Seal 토큰입니다: {token}" "만들어진 적이 없거나, 삭제되었거나, 아직 생성을 보지 못했습니다."
        ["daas node show 명령으로 스테이크를 확인하세요."] ["방금 만들었다면 잠시 뒤 다시 시도하세요."] }

    1411 TOKEN_REVOKED ["token"] []
    en { "The Seal token {token} has been revoked" "Its owner revoked it; that is final for this token."
        ["Create a new one for the stake, if it is still active: daas token."] }
    ko { "폐기된 Seal 토큰입니다: {token}" "소유자가 폐기했으며, 이 토큰은 되살릴 수 없습니다."
        ["스테이크가 아직 활성이라면 daas token 명령으로 새로 만드세요."] }

    1412 TOKEN_SUSPENDED ["token"] []
    en { "The Seal token {token} is suspended" "The cluster ejected its node for an offence, or the operator suspended it."
        ["Find out why: daas node show."] ["Remove the cause and ask the operator to lift the suspension."] }
    ko { "정지된 Seal 토큰입니다: {token}" "위반 행위로 클러스터가 노드를 내보냈거나 운영자가 정지했습니다."
        ["daas node show 명령으로 이유를 확인하세요."] ["원인을 없앤 뒤 운영자에게 정지 해제를 요청하세요."] }

    1413 TOKEN_OF_SLASHED_STAKE ["stake"] []
    en { "The stake behind the Seal token has been slashed" "Stake {stake} is slashed; everything that rested on it ended with it."
        ["Find out why: daas node show."] ["After the cause is removed, the wallet may stake again; the node gets a new name."] }
    ko { "Seal 토큰의 스테이크가 슬래싱되었습니다" "스테이크 {stake}이(가) 슬래싱되어 그에 딸린 모든 자격이 끝났습니다."
        ["daas node show 명령으로 이유를 확인하세요."] ["원인을 없앤 뒤 다시 스테이킹할 수 있으며, 노드는 새 이름을 받습니다."] }

    1414 TOKEN_STAKE_NOT_LIVE ["stake", "state"] []
    en { "The stake behind the Seal token is no longer active" "Stake {stake} is {state}. A token lives while its stake is active and above its tier's minimum."
        ["To take part again, make a new stake: daas stake."] ["If it fell below the minimum: daas top-up."] }
    ko { "Seal 토큰의 스테이크가 활성 상태가 아닙니다" "스테이크 {stake}의 상태: {state}. 토큰은 스테이크가 활성이고 등급의 최소 금액 이상일 때만 유효합니다."
        ["다시 참여하려면 daas stake 명령으로 새로 스테이킹하세요."] ["최소 금액보다 줄었다면 daas top-up 명령으로 채우세요."] }

    1415 TOKEN_KEY_ROTATED ["token"] []
    en { "The session key of Seal token {token} was replaced" "This was signed with the old key; only the newest key of a token counts."
        ["Use the machine or key file that has the new session key."] ["If it was not you who rotated it, revoke the token: somebody has your wallet key."] }
    ko { "Seal 토큰 {token}의 세션 키가 교체되었습니다" "이전 키로 서명되었으며, 가장 새로운 키만 유효합니다."
        ["새 세션 키가 있는 컴퓨터나 키 파일을 사용하세요."] ["직접 교체하지 않았다면 토큰을 폐기하세요. 누군가 지갑 키를 가지고 있습니다."] }

    1416 TOKEN_OBJECT_EXPIRED ["token", "expired"] []
    en { "The Seal token {token} has expired on chain" "The token object itself was good until {expired}; bearer tokens cannot outlive it."
        ["Extend it; its id and certificates stay."] ["Or create a new one: daas token."] }
    ko { "체인의 Seal 토큰이 만료되었습니다: {token}" "토큰 객체의 기한이 {expired}까지였으며, 전달용 토큰은 그보다 오래 유효할 수 없습니다."
        ["토큰을 연장하세요. ID와 인증서는 그대로입니다."] ["또는 daas token 명령으로 새로 만드세요."] }

    1417 SESSION_KEY_UNREADABLE ["path", "reason"] []
    en { "The session key file {path} cannot be used" "{reason}."
        ["Check that this is the user who made the Seal token."] ["If the key is lost, rotate it; the wallet key is enough for that."] }
    ko { "세션 키 파일을 사용할 수 없습니다: {path}" "원인 메시지: {reason}."
        ["Seal 토큰을 만든 사용자가 맞는지 확인하세요."] ["키를 잃었다면 교체하세요. 지갑 키만 있으면 됩니다."] }
}
