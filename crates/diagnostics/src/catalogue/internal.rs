//! 19xx: what should not happen, and plain failures of the machine.

super::entries! { range 19;
    1901 INTERNAL [] []
    en { "Something went wrong inside this program" "This is a bug: the program met a state that it should not be able to reach."
        ["Try again."] ["Report it with the technical cause below; it holds no secrets."] }
    ko { "프로그램 내부에서 문제가 생겼습니다" "프로그램의 버그입니다. 있을 수 없는 상태를 만났습니다."
        ["다시 시도하세요."] ["아래 기술 정보를 넣어 신고해 주세요. 비밀 값은 들어 있지 않습니다."] }

    1902 FILE_ACCESS_FAILED ["action", "path"] []
    en { "{path} could not be accessed" "This failed: {action}."
        ["Check that the folder exists, that this user may use it, and that the disk has space."] }
    ko { "파일에 접근할 수 없습니다: {path}" "실패한 작업: {action}."
        ["폴더가 있는지, 현재 사용자에게 권한이 있는지, 디스크에 공간이 있는지 확인하세요."] }

    1903 INTERRUPTED ["what"] []
    en { "Interrupted: {what}" "The program was asked to stop before the work was done."
        ["Run the same command again; it goes on where it was."] }
    ko { "중단되었습니다: {what}" "작업이 끝나기 전에 종료 요청을 받았습니다."
        ["같은 명령을 다시 실행하면 이어서 진행합니다."] }

    1904 CONFIRMATION_NEEDED ["action"] []
    en { "This needs a confirmation" "There is no terminal to ask on, and this cannot be undone: {action}."
        ["Give --yes if you are sure."] }
    ko { "확인이 필요합니다" "물어볼 터미널이 없고, 되돌릴 수 없는 작업입니다: {action}."
        ["확실하다면 --yes 옵션을 붙이세요."] }
}
