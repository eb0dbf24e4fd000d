use std::io;

use crate::lang::Lang;

/// A fixed piece of a sentence in both languages, such as a reason or the form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// In English.
    pub english: &'static str,
    /// In Korean.
    pub korean: &'static str,
}

impl Phrase {
    /// Both languages of a phrase.
    pub const fn new(english: &'static str, korean: &'static str) -> Self {
        Self { english, korean }
    }

    /// The phrase in one language.
    pub const fn text(self, lang: Lang) -> &'static str {
        match lang {
            Lang::English => self.english,
            Lang::Korean => self.korean,
        }
    }

    /// What a user should read for the frequent kinds of I/O errors.
    pub fn of_io(error: &io::Error) -> Option<Self> {
        use io::ErrorKind as Kind;
        Some(match error.kind() {
            Kind::NotFound => Self::new("there is no such file or folder", "파일이나 폴더가 없습니다"),
            Kind::PermissionDenied => Self::new("access is not permitted", "접근 권한이 없습니다"),
            Kind::AlreadyExists => Self::new("it exists already", "이미 있습니다"),
            Kind::IsADirectory => Self::new("it is a folder", "폴더입니다"),
            Kind::NotADirectory => Self::new("a part of the path is not a folder", "경로의 일부가 폴더가 아닙니다"),
            Kind::StorageFull | Kind::QuotaExceeded => Self::new("no space is left", "저장 공간이 없습니다"),
            Kind::ReadOnlyFilesystem => Self::new("the file system is read-only", "읽기 전용 파일 시스템입니다"),
            Kind::InvalidData => Self::new("it is not text", "텍스트가 아닙니다"),
            Kind::FileTooLarge => Self::new("it is too large", "너무 큽니다"),
            Kind::TimedOut => Self::new("it took too long", "시간이 초과되었습니다"),
            Kind::ConnectionRefused => Self::new("nothing listens there", "수신 중인 프로세스가 없습니다"),
            Kind::AddrInUse => Self::new("the address is in use", "이미 사용 중인 주소입니다"),
            _ => return None,
        })
    }
}
