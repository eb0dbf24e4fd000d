//! 18xx: workers.

super::entries! { range 18;
    1801 WORKER_STOPPED ["reason"] []
    en { "The worker cannot go on" "{reason}."
        ["Mend the cause and start the worker again: it goes on where it was."] ["See what the chain knows of it with: daas node show."] }
    ko { "워커를 계속 실행할 수 없습니다" "원인 메시지: {reason}."
        ["원인을 해결하고 워커를 다시 시작하면 이어서 진행합니다."] ["체인에 기록된 상태는 daas node show 명령으로 볼 수 있습니다."] }

    1802 WORKER_ENDED ["reason"] []
    en { "The stake of this worker is over" "What is kept in its state folder says: {reason}. A worker never stakes a second time by itself."
        ["See the stake with: daas node show."] ["Take back what is left with: daas withdraw."] ["To stake anew, name another state_dir, or remove this one."] }
    ko { "이미 끝난 워커의 스테이크입니다" "상태 폴더의 기록: {reason}. 워커가 스스로 다시 스테이킹하는 일은 없습니다."
        ["daas node show 명령으로 스테이크를 확인하세요."] ["남은 금액은 daas withdraw 명령으로 찾으세요."] ["새로 스테이킹하려면 다른 state_dir을 지정하거나 기존 폴더를 지우세요."] }

    1803 WORKER_IN_USE ["path"] []
    en { "Another worker runs here" "The folder {path} is locked by a running staker."
        ["Stop that one first."] ["For a second worker on this machine, name another state_dir, run_dir and node_id."] }
    ko { "다른 워커가 실행 중입니다" "실행 중인 스테이커가 {path} 폴더를 쓰고 있습니다."
        ["먼저 그 워커를 멈추세요."] ["같은 컴퓨터에서 워커를 하나 더 실행하려면 state_dir, run_dir, node_id를 다르게 지정하세요."] }
}
