//! 17xx: attestation documents.

super::entries! { range 17;
    1701 DOCUMENT_MALFORMED ["rule", "reason"] []
    en { "This is not an attestation document" "{reason} (rule {rule})."
        ["Give the bytes as the enclave sent them: no base64, no hexadecimal, nothing before or after."] ["Rule {rule} is explained in docs/attestation.md."] }
    ko { "증명 문서가 아닙니다" "이유: {reason} (규칙 {rule})."
        ["엔클레이브가 보낸 바이트 그대로 지정하세요. base64나 16진수로 바꾸지 말고 앞뒤에 아무것도 붙이지 마세요."] ["규칙 {rule}의 설명은 docs/attestation.md에 있습니다."] }

    1702 DOCUMENT_NOT_GENUINE ["rule", "reason"] []
    en { "The attestation document is not genuine at this time" "{reason} (rule {rule})."
        ["Ask the enclave for a new document: a document is good for about three hours."] ["To judge an old one as of its own time, give --at."] ["In development, name the root of the simulated hardware with --root."] }
    ko { "지금 기준으로 진짜라고 할 수 없는 증명 문서입니다" "이유: {reason} (규칙 {rule})."
        ["엔클레이브에서 새 문서를 받으세요. 문서는 약 3시간 동안 유효합니다."] ["오래된 문서를 당시 기준으로 판정하려면 --at을 지정하세요."] ["개발 환경에서는 모의 하드웨어의 루트를 --root로 지정하세요."] }

    1703 DOCUMENT_OF_DEBUG_ENCLAVE ["rule", "reason"] []
    en { "The enclave runs in debug mode" "{reason} (rule {rule}). Whoever owns its machine can read its console, and nothing says which code runs."
        ["Trust it with nothing."] ["If it is yours, start it again without --debug-mode."] }
    ko { "디버그 모드로 실행 중인 엔클레이브입니다" "이유: {reason} (규칙 {rule}). 호스트의 주인이 콘솔을 읽을 수 있고, 어떤 코드가 도는지 알 수 없습니다."
        ["아무것도 맡기지 마세요."] ["직접 운영하는 엔클레이브라면 --debug-mode 없이 다시 시작하세요."] }

    1704 DOCUMENT_OF_OTHER_CODE ["rule", "reason"] []
    en { "The enclave does not run an expected release" "{reason} (rule {rule})."
        ["Compare the registers with: daas attest show."] ["See which releases are good with: daas release list."] }
    ko { "기대한 릴리스를 실행하는 엔클레이브가 아닙니다" "이유: {reason} (규칙 {rule})."
        ["daas attest show 명령으로 레지스터를 비교하세요."] ["유효한 릴리스는 daas release list 명령으로 확인하세요."] }

    1705 DOCUMENT_NOT_AN_ANSWER ["rule", "reason"] []
    en { "The attestation document does not answer this question" "{reason} (rule {rule})."
        ["Ask the enclave again with a fresh nonce and give the same one with --nonce."] ["Leave --nonce out only for a document that nobody asked for with one."] }
    ko { "이번 질문에 대한 증명 문서가 아닙니다" "이유: {reason} (규칙 {rule})."
        ["새 nonce로 엔클레이브에 다시 요청하고 같은 값을 --nonce로 지정하세요."] ["nonce 없이 만든 문서에만 --nonce를 생략하세요."] }

    1706 DOCUMENT_CLAIMS_OTHERS ["rule", "reason"] []
    en { "The enclave does not claim what was expected" "{reason} (rule {rule}). The code is a good release, but it may run for somebody else."
        ["Check the cluster's id and its active instance with: daas cluster show."] ["To judge only the code of a foreign document, give --claims none."] }
    ko { "엔클레이브의 클레임이 기대와 다릅니다" "이유: {reason} (규칙 {rule}). 코드는 유효한 릴리스지만 다른 누군가를 위해 실행 중일 수 있습니다."
        ["daas cluster show 명령으로 클러스터 ID와 활성 인스턴스를 확인하세요."] ["다른 곳의 문서를 코드만 판정하려면 --claims none을 지정하세요."] }

    1707 ROOT_IN_PRODUCTION ["path"] []
    en { "No root of attestation can be given in production" "This is Sui mainnet or testnet, where only the AWS root counts; {path} was given."
        ["Leave --root out."] ["To look at simulated hardware, use the development chain that trusts it."] }
    ko { "운영 환경에서는 증명 루트를 지정할 수 없습니다" "AWS 루트만 인정되는 Sui 메인넷이나 테스트넷인데 {path}이(가) 지정되었습니다."
        ["--root를 빼세요."] ["모의 하드웨어를 살펴보려면 그 루트를 신뢰하는 개발용 체인을 사용하세요."] }

    1708 NO_ACTIVE_INSTANCE ["cluster", "reason"] []
    en { "The cluster {cluster} has no live active instance to compare with" "{reason}."
        ["See what is registered with: daas cluster show."] ["Operator: activate a registered instance with: daas cluster activate."] ["To accept any good enclave that claims this cluster, give --claims cluster."] }
    ko { "비교할 활성 인스턴스가 없는 클러스터입니다: {cluster}" "이유: {reason}."
        ["daas cluster show 명령으로 등록된 인스턴스를 확인하세요."] ["운영자라면 daas cluster activate 명령으로 등록된 인스턴스를 활성화하세요."] ["이 클러스터를 클레임으로 갖는 유효한 엔클레이브를 모두 받아들이려면 --claims cluster를 지정하세요."] }

    1709 NO_DOCUMENT_FROM_ENCLAVE ["address", "reason"] []
    en { "No attestation document came from {address}" "{reason}."
        ["Check the address: it is the master's, port 8443 unless the cluster says otherwise (daas cluster show)."] ["If somebody is in between, fetch the document elsewhere and give the file and --nonce."] }
    ko { "증명 문서를 받지 못했습니다: {address}" "원인 메시지: {reason}."
        ["주소를 확인하세요. 마스터의 주소이며, 클러스터 설정이 다르지 않으면 8443번 포트입니다(daas cluster show)."] ["중간자가 의심되면 다른 곳에서 문서를 내려받아 파일과 --nonce를 지정하세요."] }

    1710 SERVER_CA_UNREACHABLE ["address", "reason"] []
    en { "The cluster's CA did not come from {address}" "{reason}."
        ["Check the address: it is the join gateway's, port 9345 unless the cluster says otherwise (daas cluster show)."] ["See whether the cluster is up with: daas status."] }
    ko { "클러스터의 CA를 받지 못했습니다: {address}" "원인 메시지: {reason}."
        ["주소를 확인하세요. 참여 게이트웨이의 주소이며, 클러스터 설정이 다르지 않으면 9345번 포트입니다(daas cluster show)."] ["클러스터가 실행 중인지 daas status 명령으로 확인하세요."] }

    1711 SERVER_CA_NOT_ATTESTED ["address"] []
    en { "What {address} gives as the cluster's CA is not what the enclave attests" "Its SHA-256 is not the one in the verified claims: somebody may stand in between. Nothing was written."
        ["Try again: an enclave that has just been replaced has another CA."] ["If it stays so, reach the cluster on another way and do not use this one."] }
    ko { "엔클레이브가 증명한 CA가 아닙니다: {address}" "받은 CA의 SHA-256이 검증된 클레임과 다릅니다. 중간자가 있을 수 있어 아무것도 쓰지 않았습니다."
        ["다시 시도하세요. 방금 교체된 엔클레이브라면 CA가 다릅니다."] ["계속 그렇다면 다른 경로로 클러스터에 접속하고 이 경로는 쓰지 마세요."] }
}
