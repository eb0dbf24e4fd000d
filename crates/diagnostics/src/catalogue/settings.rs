//! 10xx: what the user configured.

super::entries! { range 10;
    1001 UNKNOWN_SETTING ["name", "origin"] ["nearest"]
    en { "There is no setting called \"{name}\"" "It was given in: {origin}. Unknown names are refused, because a misspelt setting would silently keep its default."
        ["Did you mean \"{nearest}\"?"] ["Correct or remove it; docs/settings.md lists every setting."] }
    ko { "알 수 없는 설정입니다: \"{name}\"" "설정 위치: {origin}. 철자가 틀린 설정이 조용히 기본값으로 남지 않도록 모르는 이름은 거부합니다."
        ["혹시 \"{nearest}\" 설정을 뜻했나요?"] ["이름을 고치거나 지우세요. 모든 설정은 docs/settings.md 문서에 있습니다."] }

    1002 BAD_VALUE ["name", "origin", "value", "expected"] []
    en { "The setting \"{name}\" has a value that cannot be used" "{origin} gives \"{value}\"; expected: {expected}."
        ["Correct the value; docs/settings.md shows the form of each setting."] }
    ko { "설정 \"{name}\"의 값을 사용할 수 없습니다" "{origin}에 적힌 값: \"{value}\". 필요한 형식: {expected}."
        ["값을 고치세요. 각 설정의 형식은 docs/settings.md 문서에 있습니다."] }

    1003 FILE_UNREADABLE ["path", "reason"] []
    en { "The settings file {path} cannot be read" "{reason}."
        ["Check that the file exists and that this user may read it."] ["Name another file with STAKER_CONFIG_PATH (daas-staker) or DAAS_CONFIG (daas)."] }
    ko { "설정 파일을 읽을 수 없습니다: {path}" "원인 메시지: {reason}."
        ["파일이 있는지, 현재 사용자가 읽을 수 있는지 확인하세요."] ["다른 파일은 STAKER_CONFIG_PATH(daas-staker) 또는 DAAS_CONFIG(daas) 환경 변수로 지정하세요."] }

    1004 FILE_MALFORMED ["path", "line", "reason"] []
    en { "The settings file {path} is not well formed" "Line {line}: {reason}."
        ["Correct that line. Files that end in .json are JSON, all others TOML."] }
    ko { "설정 파일의 형식이 잘못되었습니다: {path}" "{line}번째 줄: {reason}."
        ["해당 줄을 고치세요. 이름이 .json으로 끝나면 JSON, 그 밖에는 TOML 형식입니다."] }

    1005 MISSING_SETTING ["name", "how"] []
    en { "The setting \"{name}\" is required and was not given" "It has no default, and neither a flag nor the environment nor a file gives it."
        ["Give it in one of these ways: {how}."] }
    ko { "필수 설정이 없습니다: \"{name}\"" "기본값이 없는 설정인데 플래그, 환경 변수, 파일 어디에도 없습니다."
        ["다음 중 한 방법으로 지정하세요: {how}."] }

    1006 INVALID_NODE_NAME ["name", "reason"] []
    en { "\"{name}\" cannot be the name of a node" "{reason}."
        ["Use 1 to 54 lower-case letters, digits and '-', with a letter in it, for example worker-1."] }
    ko { "노드 이름으로 쓸 수 없습니다: \"{name}\"" "이름 규칙 위반: {reason}."
        ["영문 소문자, 숫자, '-'로 1~54자, 글자를 하나 이상 넣어 지으세요. 예: worker-1."] }

    1007 SECRET_INLINE ["name", "origin", "env"] []
    en { "The secret \"{name}\" stands in the clear in: {origin}" "Files get copied and backed up, and flags are visible to every user of the machine in the process list; a key that was written there is best taken as known to others."
        ["Give a path to a key file, an alias of the sui keystore, or a KMS reference (kms:...) instead."] ["If it has to be inline, put it into the environment variable {env}."] ["If others could have read it, move the funds to a new key."] }
    ko { "비밀 값 \"{name}\"이(가) 그대로 적혀 있습니다: {origin}" "파일은 복사되고 백업되며, 플래그는 프로세스 목록에서 모든 사용자에게 보입니다. 그곳에 적힌 키는 이미 알려졌다고 보아야 합니다."
        ["대신 키 파일 경로, sui 키스토어 별칭, KMS 참조(kms:...) 중 하나를 적으세요."] ["꼭 직접 적어야 한다면 환경 변수 {env}에 넣으세요."] ["다른 사람이 읽었을 수 있다면 자금을 새 키로 옮기세요."] }

    1008 DOCKER_RUNTIME ["origin"] []
    en { "Docker cannot run the pods of a worker" "{origin} asks for container_runtime \"docker\". Kubernetes speaks to container runtimes through CRI only, and Docker does not offer CRI (dockershim left Kubernetes with 1.24)."
        ["Set container_runtime to \"containerd\": the worker brings its own."] ["To use a runtime that is already installed, set container_runtime to \"cri\" and cri_endpoint to its socket; for Docker that is cri-dockerd's."] }
    ko { "Docker로는 워커의 파드를 실행할 수 없습니다" "{origin}에서 container_runtime을 \"docker\"로 지정했습니다. 쿠버네티스는 CRI로만 컨테이너 런타임과 통신하는데 Docker는 CRI를 제공하지 않습니다(dockershim은 1.24에서 제거)."
        ["container_runtime을 \"containerd\"로 바꾸세요. 워커에 함께 들어 있습니다."] ["이미 설치된 런타임을 쓰려면 container_runtime을 \"cri\"로, cri_endpoint를 그 소켓으로 지정하세요. Docker라면 cri-dockerd의 소켓입니다."] }

    1009 MOCK_MODE [] []
    en { "MOCK_MODE is not supported" "The environment sets MOCK_MODE. There is no mode that pretends to have a stake: the development chain executes the real contract instead, so that what works there works elsewhere."
        ["Unset MOCK_MODE."] ["For a development cluster on this machine run: daas up (or: make up)."] }
    ko { "MOCK_MODE는 지원하지 않습니다" "환경 변수 MOCK_MODE가 설정되어 있습니다. 스테이킹을 흉내 내는 모드는 없으며, 대신 개발용 체인이 실제 컨트랙트를 실행하므로 거기서 되는 것은 다른 곳에서도 됩니다."
        ["MOCK_MODE 설정을 해제하세요."] ["이 컴퓨터에 개발용 클러스터를 띄우려면 daas up (또는 make up) 명령을 실행하세요."] }

    1010 CONFLICTING_SETTINGS ["first", "second", "reason"] []
    en { "The settings \"{first}\" and \"{second}\" do not fit together" "{reason}."
        ["Change or remove one of the two; docs/settings.md explains both."] }
    ko { "설정 \"{first}\"와(과) \"{second}\"가 서로 맞지 않습니다" "이유: {reason}."
        ["둘 중 하나를 바꾸거나 지우세요. 두 설정 모두 docs/settings.md 문서에 설명되어 있습니다."] }

    1011 STAKE_SETTING_BELOW_MINIMUM ["amount", "minimum"] []
    en { "stake_amount is {amount}, less than min_stake_amount, {minimum}" "Your own settings forbid a stake this small, so nothing was sent to the chain."
        ["Raise stake_amount to {minimum} or more, or lower min_stake_amount."] }
    ko { "stake_amount 값 {amount}이(가) min_stake_amount 값 {minimum}보다 작습니다" "사용자 설정의 최소 금액보다 작으므로 체인에 아무것도 보내지 않았습니다."
        ["stake_amount를 {minimum} 이상으로 올리거나 min_stake_amount를 낮추세요."] }
}
