//! 16xx: the Move package, measurements, builds.

super::entries! { range 16;
    1601 BYTECODE_MISSING ["path"] []
    en { "The compiled Move package is missing" "There is no bytecode at {path}."
        ["Build it with: make move."] }
    ko { "컴파일된 Move 패키지가 없습니다" "바이트코드가 있어야 할 곳: {path}."
        ["make move 명령으로 빌드하세요."] }

    1602 BYTECODE_INVALID ["path", "reason"] []
    en { "The compiled Move package cannot be used" "{path}: {reason}."
        ["Build it again with: make move."] }
    ko { "컴파일된 Move 패키지를 사용할 수 없습니다" "{path} 파일의 문제: {reason}."
        ["make move 명령으로 다시 빌드하세요."] }

    1603 FRAMEWORK_FUNCTION_MISSING ["function"] []
    en { "The development chain does not have the framework function {function}" "It implements the functions that the K3s-DaaS package uses, natively and from a list; this package calls one that is not on it."
        ["Publish to a Sui network instead: sui start, testnet."] ["Or do without that function."] }
    ko { "개발용 체인에 없는 프레임워크 함수입니다: {function}" "개발용 체인은 K3s-DaaS 패키지가 쓰는 함수만 목록대로 구현하는데, 이 패키지는 목록에 없는 함수를 호출합니다."
        ["sui start나 테스트넷 같은 Sui 네트워크에 배포하세요."] ["또는 그 함수를 쓰지 않도록 바꾸세요."] }

    1604 MEASUREMENTS_INVALID ["path", "reason"] []
    en { "The measurements file {path} cannot be used" "{reason}."
        ["Compare it with attestation/measurements.schema.json."] ["Write it again from the image instead of by hand: daas image pcrs."] }
    ko { "측정값 파일을 사용할 수 없습니다: {path}" "문제: {reason}."
        ["attestation/measurements.schema.json 스키마와 비교하세요."] ["손으로 쓰지 말고 이미지에서 다시 만드세요: daas image pcrs."] }

    1605 TOOL_MISSING ["tool", "purpose"] []
    en { "The program {tool} is not installed" "It is needed for: {purpose}."
        ["Install what is missing with: make setup."] ["See everything this machine lacks with: daas doctor."] }
    ko { "설치되어 있지 않은 프로그램입니다: {tool}" "필요한 작업: {purpose}."
        ["make setup 명령으로 빠진 것을 설치하세요."] ["daas doctor 명령으로 이 컴퓨터에 부족한 것을 모두 볼 수 있습니다."] }

    1606 ATTESTATION_ROOT_INVALID ["path", "reason"] []
    en { "The attestation root {path} cannot be used" "{reason}."
        ["Give a PEM file with one X.509 certificate."] ["Leave the setting attestation_root out to trust the AWS root only."] }
    ko { "증명 루트 인증서를 사용할 수 없습니다: {path}" "문제: {reason}."
        ["X.509 인증서 하나가 든 PEM 파일을 지정하세요."] ["AWS 루트만 신뢰하려면 attestation_root 설정을 지우세요."] }

    1607 IMAGE_INVALID ["path", "reason"] []
    en { "{path} is not a usable enclave image" "{reason}."
        ["Build it again with: daas image build."] ["Fetch it again if it was copied from elsewhere; its checksum covers every byte."] }
    ko { "사용할 수 없는 인클레이브 이미지입니다: {path}" "문제: {reason}."
        ["daas image build 명령으로 다시 빌드하세요."] ["복사해 온 파일이라면 다시 받으세요. 체크섬은 파일의 모든 바이트를 덮습니다."] }

    1608 IMAGE_INPUT_INVALID ["what", "reason"] []
    en { "No image can be built from {what}" "{reason}."
        ["See what an image is made of with: daas image build --help."] }
    ko { "이미지를 빌드할 수 없는 입력입니다: {what}" "문제: {reason}."
        ["이미지에 들어가는 것은 daas image build --help로 볼 수 있습니다."] }
}
