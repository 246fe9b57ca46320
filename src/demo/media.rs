//! Pictures and files of the portal, made on demand from their address.

use base64::Engine as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A picture: PNG bytes with width and height.
pub(super) struct Png {
    pub bytes: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// The picture at `path`; the same path gives the same picture.
pub(super) fn picture(path: &str) -> Png {
    let hash = blake3::hash(path.as_bytes());
    let key = hash.as_bytes();
    let (width, height) = (24 + u32::from(key[0] % 24), 16 + u32::from(key[1] % 16));
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            let tile = ((x / 8 + y / 8) % 2) as u8;
            pixels.extend([
                key[2] ^ (tile * 64),
                key[3].wrapping_add((x * 2) as u8),
                key[4].wrapping_add((y * 3) as u8),
            ]);
        }
    }
    Png {
        bytes: encode(width, height, &pixels),
        width,
        height,
    }
}

/// What stands at `path` after it was replaced so often.
pub(super) fn version(path: &str, replaced: u32) -> Png {
    match replaced {
        0 => picture(path),
        n => picture(&format!("{path}#{n}")),
    }
}

fn encode(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder
        .write_header()
        .and_then(|mut w| w.write_image_data(pixels));
    debug_assert!(written.is_ok(), "a Vec takes all bytes and the size fits");
    bytes
}

/// The picture that stands in pages as a `data:` URL.
pub(super) fn data_picture() -> Png {
    picture("data:")
}

/// Its URL.
pub(super) fn data_url() -> String {
    let bytes = data_picture().bytes;
    format!(
        "data:image/png;base64,{}",
        base64::engine::general_purpose::STANDARD.encode(bytes)
    )
}

/// A file for download.
pub(super) struct File {
    pub bytes: Vec<u8>,
    /// Content-Type header.
    pub declared: &'static str,
    /// Type by its bytes.
    pub mime: &'static str,
    pub name: String,
    /// Content-Disposition header, as bytes: one spelling is raw UTF-8.
    pub disposition: Vec<u8>,
}

/// The file with `id`.
pub(super) fn file(id: usize) -> File {
    let (index, pdf) = (id / 10, id % 4 != 2);
    let extension = if pdf { "pdf" } else { "zip" };
    let name = format!("Phụ lục số liệu kỳ {index} (đã duyệt).{extension}");
    let encoded = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    let disposition = if index / 4 % 2 == 0 {
        format!("attachment; filename=\"Phu luc {index}.{extension}\"; filename*=UTF-8''{encoded}")
    } else {
        format!("attachment; filename=\"{name}\"")
    };
    let (bytes, mime) = if pdf {
        let text = format!(
            "%PDF-1.4\n% phu luc {id}\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
        );
        (text.into_bytes(), "application/pdf")
    } else {
        (zip(id), "application/zip")
    };
    File {
        bytes,
        declared: if index / 4 % 2 == 0 {
            mime
        } else {
            "application/octet-stream"
        },
        mime,
        name,
        disposition: disposition.into_bytes(),
    }
}

/// A ZIP archive with one empty, stored file.
fn zip(id: usize) -> Vec<u8> {
    let name = format!("phu-luc-{id}.txt");
    let length = (name.len() as u16).to_le_bytes();
    let mut local = b"PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\0".to_vec();
    local.extend([0; 12]);
    local.extend(length);
    local.extend([0, 0]);
    local.extend(name.as_bytes());
    let offset = (local.len() as u32).to_le_bytes();
    let mut central = b"PK\x01\x02\x0a\0\x0a\0\0\0\0\0\0\0\x21\0".to_vec();
    central.extend([0; 12]);
    central.extend(length);
    central.extend([0; 16]);
    central.extend(name.as_bytes());
    let size = (central.len() as u32).to_le_bytes();
    local.extend(central);
    local.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    local.extend(size);
    local.extend(offset);
    local.extend([0, 0]);
    local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_are_what_they_claim() {
        let png = picture("/hinhanh/2023/1-1.png");
        let size = imagesize::blob_size(&png.bytes).unwrap();
        assert_eq!(
            (size.width, size.height),
            (png.width as usize, png.height as usize)
        );
        assert_ne!(picture("/a.png").bytes, png.bytes);
        for id in [31, 22, 82] {
            let file = file(id);
            assert_eq!(infer::get(&file.bytes).map(|t| t.mime_type()), Some(file.mime));
        }
        assert_eq!(infer::get(&png.bytes).map(|t| t.mime_type()), Some("image/png"));
    }
}
