//! Words from which the portal's sentences are made.

use fastrand::Rng;

/// Labels of the four sections.
pub(super) const SECTIONS: [&str; 4] = [
    "TIN HOẠT ĐỘNG NGÀNH",
    "TIN KINH TẾ - XÃ HỘI",
    "SỐ LIỆU THỐNG KÊ",
    "THÔNG BÁO",
];

const EVENTS: &[&str] = &[
    "Hội nghị sơ kết công tác",
    "Hội nghị tổng kết công tác",
    "Lễ ra quân",
    "Tập huấn nghiệp vụ",
    "Họp báo công bố kết quả",
    "Kiểm tra, giám sát",
    "Triển khai kế hoạch",
    "Tọa đàm kỷ niệm",
];

const TOPICS: &[&str] = &[
    "điều tra dân số và nhà ở",
    "tổng điều tra kinh tế",
    "thống kê giá tiêu dùng",
    "điều tra lao động việc làm",
    "thi đua, khen thưởng",
    "chuyển đổi số ngành Thống kê",
    "điều tra nông thôn, nông nghiệp",
    "điều tra doanh nghiệp",
    "cải cách hành chính",
];

const PLACES: &[&str] = &[
    "thành phố Phan Thiết",
    "thị xã La Gi",
    "huyện Tuy Phong",
    "huyện Bắc Bình",
    "huyện Hàm Thuận Bắc",
    "huyện Hàm Thuận Nam",
    "huyện Tánh Linh",
    "huyện Đức Linh",
    "huyện Hàm Tân",
    "huyện đảo Phú Quý",
];

const SUBJECTS: &[&str] = &[
    "Cục Thống kê tỉnh",
    "Ủy ban nhân dân tỉnh",
    "Lãnh đạo các phòng nghiệp vụ",
    "Chi cục Thống kê khu vực",
    "Các điều tra viên",
    "Ban chỉ đạo cấp huyện",
    "Đại diện các sở, ngành",
    "Công ty Nông sản A&B",
];

const VERBS: &[&str] = &[
    "đã hoàn thành",
    "tiếp tục triển khai",
    "tập trung chỉ đạo",
    "phối hợp thực hiện",
    "đánh giá cao",
    "đề nghị đẩy mạnh",
    "thống nhất phương án",
];

const OBJECTS: &[&str] = &[
    "công tác thu thập thông tin tại địa bàn",
    "việc rà soát danh sách hộ và cơ sở",
    "chỉ tiêu kế hoạch được giao",
    "ứng dụng phiếu điều tra điện tử",
    "chất lượng số liệu đầu vào",
    "tuyên truyền đến từng thôn, khu phố",
    "nhiệm vụ trọng tâm sáu tháng cuối năm",
];

const TAILS: &[&str] = &[
    "đúng tiến độ và bảo đảm chất lượng",
    "theo phương án đã được phê duyệt",
    "góp phần phục vụ công tác quản lý, điều hành",
    "trong điều kiện thời tiết không thuận lợi",
    "với sự đồng thuận của người dân",
    "nhằm nâng cao hiệu quả công việc",
    "– một yêu cầu \u{201c}cấp thiết\u{201d} của ngành",
];

/// Names for captions, signatures and quotations.
pub(super) const PEOPLE: &[&str] = &[
    "Nguyễn Thị Hồng Ánh",
    "Trần Văn Dũng",
    "Lê Thị Mỹ Quỳnh",
    "Đỗ Hữu Phước",
    "Phan Thị Tuyết",
    "Võ Hoàng Việt",
];

/// One of `words`.
pub(super) fn pick(rng: &mut Rng, words: &[&'static str]) -> &'static str {
    words[rng.usize(..words.len())]
}

/// A sentence without its full stop.
pub(super) fn clause(rng: &mut Rng) -> String {
    format!(
        "{} {} {} tại {}, {}",
        pick(rng, SUBJECTS),
        pick(rng, VERBS),
        pick(rng, OBJECTS),
        pick(rng, PLACES),
        pick(rng, TAILS)
    )
}

/// `count` sentences.
pub(super) fn sentences(rng: &mut Rng, count: usize) -> String {
    let parts: Vec<String> = (0..count).map(|_| format!("{}.", clause(rng))).collect();
    parts.join(" ")
}

/// A title; `number` makes it unique.
pub(super) fn title(rng: &mut Rng, number: usize, year: i16) -> String {
    format!(
        "{} {} tại {} đợt {number} năm {year}",
        pick(rng, EVENTS),
        pick(rng, TOPICS),
        pick(rng, PLACES)
    )
}

/// A place.
pub(super) fn place(rng: &mut Rng) -> &'static str {
    pick(rng, PLACES)
}
