//! The seed's article, word for word: the page that the project started from. Its HTML was never seen; the portal
//! supplies the mark-up and the pictures.

use super::article::{Article, Caption, Charset, Node, Picture, PictureSource, Skin, Stamp, cite};
use crate::document::Citation;
use jiff::civil::date;

const TITLE: &str = "Hội nghị sơ kết công tác thi đua 6 tháng đầu năm 2023 và phương hướng, nhiệm vụ 6 tháng cuối năm 2023 Khối thi đua 3";

const PARAGRAPHS: [&str; 6] = [
    "Chiều ngày 14/7/2023, tại Cục Thống kê Bình Thuận Khối thi đua số 3 tổ chức Hội nghị sơ kết công tác thi đua 6 tháng đầu năm và phương hướng, nhiệm vụ 6 tháng cuối năm 2023.",
    "Dự Hội nghị có đại diện Ban Thi đua khen thưởng tỉnh; lãnh đạo của 06 cơ quan thành viên trong Khối gồm: Văn phòng ủy ban nhân dân tỉnh, Văn phòng đoàn đại biểu quốc hội và Hội đồng nhân dân tỉnh, Sở nội vụ, Ban dân tộc, Ban quản lý các khu công nghiệp tỉnh và Cục Thống kê. Ông Phạm Quốc Hùng – Cục trưởng Cục Thống kê, Trưởng Khối thi đua 3 chủ trì Hội nghị.",
    "Phát biểu tại Hội nghị, đồng chí Phạm Quốc Hùng đánh giá kết quả thực hiện phong trào thi đua 6 tháng đầu năm và phương hướng, nhiệm vụ 6 tháng cuối năm 2023 của Khối thi đua 3.",
    "Trong 6 tháng đầu năm 2023, thực hiện Chỉ thị số 01/CT-UBND ngày 12/01/2023 của UBND tỉnh về phát động phong trào thi đua yêu nước thực hiện thắng lợi nhiệm vụ phát triển kinh tế - xã hội năm 2023; Quyết định số 60/QĐ-UBND ngày 09/01/2023 về việc phê duyệt nhiệm vụ chủ yếu năm 2023 của các sở, ngành và UBND các huyện, thị xã, thành phố; Kế hoạch số 179/KH-UBND ngày 18/01/2023 của Ủy ban nhân dân tỉnh về việc triển khai nhân rộng các công trình trồng cây xanh trong các khối thi đua thuộc các cơ quan cấp tỉnh giai đoạn 2023 – 2025. Các cơ quan, đơn vị là thành viên trong Khối thi đua 3 đã thực hiện ký kết giao ước thi đua năm 2023; ban hành Kế hoạch số 02/KH-KTĐ ngày 14/3/2023 triển khai công tác thi đua, khen thưởng năm 2023; Kế hoạch số 05/KH-KTĐ ngày 23/3/2023 về việc triển khai công trình trồng cây xanh của Khối thi đua 3 năm 2023; Quy chế số 03/QC-KTĐ ngày 14/3/2023 về quy chế tổ chức hoạt động và bình xét thi đua, khen thưởng của Khối.",
    "Hưởng ứng phát động thi đua, các thành viên trong Khối đã cụ thể hoá bằng kế hoạch, chương trình công tác và phát động phong trào thi đua từng cơ quan, đơn vị; triển khai tuyên truyền, phổ biến các văn bản liên quan đến công tác thi đua, khen thưởng của Trung ương, của tỉnh đến từng cán bộ, công chức, người lao động để triển khai thực hiện. Nhìn chung trong 6 tháng đầu năm 2023, các cơ quan, đơn vị trong Khối thi đua 3 đã có nhiều nỗ lực, cố gắng trong việc triển khai thực hiện các nhiệm vụ chủ yếu, nhiệm vụ thường xuyên cũng như các nhiệm vụ phát sinh, đột xuất, cơ bản hoàn thành các nhiệm vụ được giao. Việc triển khai học tập, quán triệt các chủ trương, chính sách của Đảng, pháp luật của Nhà nước được tổ chức thường xuyên. Công tác cải cách hành chính, áp dụng hệ thống ISO 9001:2015; công tác phòng, chống tham nhũng, tiêu cực, thực hành tiết kiệm, chấp hành giờ giấc làm việc; thực hiện quy chế dân chủ ở cơ sở được lãnh đạo các cơ quan quan tâm, tập trung chỉ đạo thực hiện nghiêm túc; các phong trào thi đua đều được hưởng ứng và triển khai có hiệu quả.",
    "Hội nghị đã thảo luận và đưa ra phương hướng, nhiệm vụ 6 tháng cuối năm 2023. Theo đó, tiếp tục làm tốt công tác quán triệt, phát động phong trào thi đua gắn với triển khai thực hiện Kết luận số 01-KL/TW, ngày 15/5/2021 về tiếp tục thực hiện việc học tập và làm theo tư tưởng, đạo đức, phong cách Hồ Chí Minh theo Chỉ thị số 05-CT/TW của Bộ Chính trị và chuyên đề năm 2023; đẩy mạnh công tác thi đua, tổ chức các hoạt động phong trào phù hợp chào mừng các ngày lễ, kỷ niệm trong các tháng cuối năm 2023; tiếp tục lãnh đạo cán bộ, công chức triển khai thực hiện hoàn thành tốt các nhiệm vụ chính trị của cơ quan, đơn vị năm 2023; tổ chức 01 hoạt động giao lưu giữa các cơ quan, đơn vị trong Khối./.",
];

const SIGNATURE: &str = "CTK Bình Thuận";
const LEAD: &str = "Một số hình ảnh tại hội nghị:";
const CAPTION: &str = "Đồng chí Phạm Quốc Hùng – Cục trưởng Cục Thống kê, Trưởng Khối thi đua 3";

fn citations() -> Vec<Citation> {
    vec![
        cite("Chỉ thị", "01/CT-UBND", "UBND", Some("2023-01-12")),
        cite("Quyết định", "60/QĐ-UBND", "UBND", Some("2023-01-09")),
        cite("Kế hoạch", "179/KH-UBND", "UBND", Some("2023-01-18")),
        cite("Kế hoạch", "02/KH-KTĐ", "KTĐ", Some("2023-03-14")),
        cite("Kế hoạch", "05/KH-KTĐ", "KTĐ", Some("2023-03-23")),
        cite("Quy chế", "03/QC-KTĐ", "KTĐ", Some("2023-03-14")),
        cite("Kết luận", "01-KL/TW", "TW", Some("2021-05-15")),
        cite("Chỉ thị", "05-CT/TW", "TW", None),
    ]
}

/// The seed's article: index 0 of every portal.
pub(super) fn article() -> Article {
    let mut body: Vec<Node> = PARAGRAPHS.iter().map(|p| Node::text(*p)).collect();
    body.push(Node::Signature(SIGNATURE.into()));
    let picture = |n: usize, caption: Option<Caption>| Picture {
        source: PictureSource::Path(format!("/hinhanh/2023/1-{n}.png")),
        alt: None,
        caption,
    };
    let caption = Caption {
        text: CAPTION.into(),
        italic: false,
        credit: None,
    };
    body.push(Node::Pictures {
        lead: Some(LEAD.into()),
        items: vec![
            picture(1, Some(caption)),
            picture(2, None),
            picture(3, None),
            picture(4, None),
        ],
        table: false,
    });
    Article {
        index: 0,
        title: TITLE.into(),
        published: date(2023, 7, 17).at(8, 30, 0, 0),
        stamp: Stamp::ListOnly,
        summary: None,
        description: None,
        teaser: None,
        event: Some((date(2023, 7, 14), "ngày 14/7/2023".into())),
        body,
        citations: citations(),
        skin: Skin::Word,
        charset: Charset::Utf8,
        related: Vec::new(),
    }
}
