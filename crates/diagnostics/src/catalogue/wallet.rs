//! 11xx: wallets, keystores, private keys.

super::entries! { range 11;
    1101 KEYSTORE_UNREADABLE ["path", "reason"] []
    en { "The keystore {path} cannot be read" "{reason}."
        ["Check that the file exists and that this user may read it."] ["Make a keystore with: sui client new-address ed25519."] ["Name another keystore with the setting keystore_path."] }
    ko { "키스토어를 읽을 수 없습니다: {path}" "원인 메시지: {reason}."
        ["파일이 있는지, 현재 사용자가 읽을 수 있는지 확인하세요."] ["키스토어는 sui client new-address ed25519 명령으로 만들 수 있습니다."] ["다른 키스토어는 keystore_path 설정으로 지정하세요."] }

    1102 KEY_NOT_FOUND ["wanted", "path"] []
    en { "The keystore has no key for {wanted}" "The keystore {path} was read, but none of its addresses and aliases is this one."
        ["List what it holds with: sui client addresses."] ["Import the key with: sui keytool import."] ["Name another address or alias with the setting address."] }
    ko { "키스토어에 키가 없습니다: {wanted}" "키스토어 {path} 파일은 읽었지만 해당하는 주소나 별칭이 없습니다."
        ["sui client addresses 명령으로 들어 있는 키를 확인하세요."] ["sui keytool import 명령으로 키를 가져오세요."] ["다른 주소나 별칭은 address 설정으로 지정하세요."] }

    1103 WALLET_AMBIGUOUS ["path", "candidates"] []
    en { "It is not clear which key to use" "The keystore {path} holds several keys, and nothing says which one: {candidates}."
        ["Choose one with the setting address (an address or an alias)."] ["Or make one the active address: sui client switch --address ADDRESS."] }
    ko { "어떤 키를 쓸지 알 수 없습니다" "키스토어 {path} 파일에 키가 여러 개인데 선택이 없습니다: {candidates}."
        ["address 설정에 주소나 별칭을 적어 하나를 고르세요."] ["또는 sui client switch --address 주소 명령으로 활성 주소를 정하세요."] }

    1104 KEY_MALFORMED ["origin"] []
    en { "The private key is not in a form that is understood" "What was read from {origin} is neither suiprivkey1... (bech32) nor a keystore entry (base64 of scheme flag and 32 bytes)."
        ["Export the key again with: sui keytool export --key-identity ALIAS."] }
    ko { "개인 키의 형식을 알 수 없습니다" "{origin}에서 읽은 값이 suiprivkey1...(bech32) 형식도, 키스토어 항목(방식 플래그와 32바이트의 base64) 형식도 아닙니다."
        ["sui keytool export --key-identity 별칭 명령으로 키를 다시 내보내세요."] }

    1105 KEY_REFERENCE_UNSUPPORTED ["reference"] []
    en { "This program cannot use the key reference {reference}" "The place that it points to is not one that this build can sign with."
        ["Use a path to a key file or an alias of the sui keystore."] }
    ko { "사용할 수 없는 키 참조입니다: {reference}" "이 빌드는 참조가 가리키는 곳의 키로 서명할 수 없습니다."
        ["키 파일 경로나 sui 키스토어 별칭을 사용하세요."] }

    1106 KEY_FILE_EXPOSED ["path", "mode"] []
    en { "The key file {path} can be read by others" "Its mode is {mode}; whoever reads it can spend the wallet's money."
        ["Close it with: chmod 600 {path}."] ["If others have accounts on this machine, move the funds to a new key."] }
    ko { "다른 사용자가 키 파일을 읽을 수 있습니다: {path}" "파일 권한이 {mode}이며, 읽을 수 있는 사람은 지갑의 돈을 쓸 수 있습니다."
        ["다음 명령으로 권한을 닫으세요: chmod 600 {path}."] ["이 컴퓨터를 다른 사람도 쓴다면 자금을 새 키로 옮기세요."] }

    1107 ADDRESS_MISMATCH ["expected", "actual"] []
    en { "The private key does not belong to the configured wallet address" "The settings name {expected}, but the key's address is {actual}."
        ["Correct sui_wallet_address, or leave it out: it is computed from the key."] ["Or choose the key that belongs to {expected}."] }
    ko { "개인 키가 설정된 지갑 주소와 맞지 않습니다" "설정된 주소는 {expected}, 키의 주소는 {actual}입니다."
        ["sui_wallet_address를 고치거나 지우세요. 지우면 키에서 계산합니다."] ["또는 {expected} 주소에 맞는 키를 고르세요."] }

    1108 WALLET_CONFIG_UNREADABLE ["path", "reason"] []
    en { "The sui wallet configuration {path} cannot be used" "{reason}."
        ["Make one with: sui client."] ["Or do without it: give keystore_path and address."] }
    ko { "sui 지갑 설정을 사용할 수 없습니다: {path}" "원인 메시지: {reason}."
        ["sui client 명령으로 새로 만드세요."] ["또는 keystore_path와 address 설정을 직접 지정하세요."] }
}
