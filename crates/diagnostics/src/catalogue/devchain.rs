//! 15xx: the development chain and the machine it runs on.

super::entries! { range 15;
    1501 DEVCHAIN_ALREADY_RUNNING ["address"] []
    en { "The development chain is already running" "It answers at {address}."
        ["Use it as it is; stop it with: make down."] }
    ko { "개발용 체인이 이미 실행 중입니다" "현재 {address} 주소에서 응답하고 있습니다."
        ["그대로 사용하세요. 멈추려면 make down 명령을 실행하세요."] }

    1502 DEVCHAIN_NOT_RUNNING ["address"] []
    en { "The development chain is not running" "Nothing answers at {address}."
        ["Start it with: make up."] }
    ko { "개발용 체인이 실행 중이 아닙니다" "{address} 주소에서 응답이 없습니다."
        ["make up 명령으로 시작하세요."] }

    1503 STATE_IN_USE ["path"] []
    en { "The state directory {path} is in use" "Another process holds its lock; two writers would destroy it."
        ["Stop the other one with: make down."] ["Or give this one a directory of its own: --data-dir."] }
    ko { "상태 디렉터리를 다른 프로세스가 사용하고 있습니다: {path}" "다른 프로세스가 잠금을 가지고 있으며, 둘이 함께 쓰면 상태가 망가집니다."
        ["make down 명령으로 다른 쪽을 멈추세요."] ["또는 --data-dir 옵션으로 별도 디렉터리를 지정하세요."] }

    1504 STATE_CORRUPTED ["path", "reason"] []
    en { "The state in {path} is damaged" "{reason}. It is not used, because what it says cannot be relied on."
        ["Restore the directory from a copy."] ["If the development chain may start from nothing, delete the directory and run: make up."] }
    ko { "저장된 상태가 손상되었습니다: {path}" "손상 내용: {reason}. 믿을 수 없으므로 사용하지 않습니다."
        ["복사본이 있으면 디렉터리를 복원하세요."] ["개발용 체인을 처음부터 시작해도 된다면 디렉터리를 지우고 make up 명령을 실행하세요."] }

    1505 STATE_OF_OTHER_VERSION ["path", "found", "supported"] []
    en { "The state in {path} was written by another version" "It has format {found}, this program reads {supported}."
        ["Use the program that wrote it, or delete the directory to start from nothing."] }
    ko { "다른 버전이 저장한 상태입니다: {path}" "저장된 형식은 {found}, 이 프로그램의 형식은 {supported}입니다."
        ["그 상태를 만든 버전을 사용하거나, 디렉터리를 지우고 처음부터 시작하세요."] }

    1506 PORT_IN_USE ["address"] []
    en { "The address {address} is already in use" "Another process listens there."
        ["Find it with: ss -ltnp."] ["Stop it, or choose another address with the setting listen."] }
    ko { "이미 사용 중인 주소입니다: {address}" "다른 프로세스가 그 주소에서 수신하고 있습니다."
        ["ss -ltnp 명령으로 찾으세요."] ["그 프로세스를 멈추거나 listen 설정으로 다른 주소를 고르세요."] }

    1507 NEEDS_ROOT ["action"] []
    en { "Root rights are needed" "Needed for: {action}."
        ["Run the same command as root or through sudo."] }
    ko { "루트 권한이 필요합니다" "필요한 작업: {action}."
        ["같은 명령을 root로 또는 sudo를 붙여 실행하세요."] }

    1508 FAUCET_REFUSED ["reason"] []
    en { "The faucet gave nothing" "{reason}."
        ["Check the address and try a smaller amount, or wait and try again."] }
    ko { "수도꼭지(faucet)에서 받지 못했습니다" "이유: {reason}."
        ["주소를 확인하고 더 적은 금액으로, 또는 잠시 뒤 다시 시도하세요."] }

    1509 START_TIMED_OUT ["what", "seconds"] []
    en { "{what} did not start within {seconds} s" "The process runs but does not answer, or it ended early."
        ["Read the end of its log."] ["See what this machine lacks with: daas doctor."] }
    ko { "{what}이(가) {seconds}초 안에 시작되지 않았습니다" "프로세스가 응답하지 않거나 일찍 끝났습니다."
        ["로그의 마지막 부분을 확인하세요."] ["daas doctor 명령으로 이 컴퓨터에 부족한 것을 확인하세요."] }

    1510 DISK_FULL ["path"] []
    en { "There is no space left to write {path}" "The file system is full or the quota is used up. Nothing that was acknowledged is lost."
        ["Free some space and start again."] }
    ko { "저장 공간이 부족합니다: {path}" "파일 시스템이 가득 찼거나 할당량을 다 썼습니다. 확인 응답한 내용은 잃지 않았습니다."
        ["공간을 확보한 뒤 다시 시작하세요."] }

    1511 PART_ENDED ["what", "log"] []
    en { "{what} ended before it was ready" "The end of {log} says why."
        ["Read the log."] ["See what this machine lacks with: daas doctor."] ["Start again with: make down, make up."] }
    ko { "{what}이(가) 준비되기 전에 끝났습니다" "이유는 {log}의 마지막 부분에 있습니다."
        ["로그를 확인하세요."] ["이 컴퓨터에 부족한 것은 daas doctor 명령으로 확인하세요."] ["make down, make up 명령으로 다시 시작하세요."] }

    1512 ENCLAVE_KIND_NOT_YET ["kind"] []
    en { "Enclaves of kind {kind} cannot be started here yet" "daas up starts the sandbox only."
        ["Leave --enclave out, or give: --enclave sandbox."] }
    ko { "아직 {kind} 종류의 엔클레이브는 시작할 수 없습니다" "daas up은 샌드박스만 시작합니다."
        ["--enclave를 빼거나 --enclave sandbox로 지정하세요."] }

    1513 KUBERNETES_MISSING ["path"] []
    en { "The Kubernetes programs are missing: {path}" "daas up starts a cluster from programs that are built from upstream's sources."
        ["Use: make up, which builds them and names their folder."] ["To start the chain alone: daas up --chain-only."] }
    ko { "Kubernetes 프로그램이 없습니다: {path}" "daas up은 업스트림 소스에서 빌드한 프로그램으로 클러스터를 시작합니다."
        ["make up 명령을 사용하세요. 프로그램을 빌드하고 폴더를 지정해 줍니다."] ["체인만 시작하려면: daas up --chain-only."] }
}
