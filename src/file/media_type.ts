/**
 * Media types by file name extension.
 *
 * @module
 */

const UNKNOWN = "application/octet-stream";

/** One line for each type: the type, then the extensions that mean it. */
const TABLE = `
application/atom+xml atom
application/epub+zip epub
application/geo+json geojson
application/gzip gz tgz
application/java-archive jar
application/json json map
application/json5 json5
application/ld+json jsonld
application/manifest+json webmanifest
application/msword doc
application/pdf pdf
application/postscript ps eps ai
application/rss+xml rss
application/sql sql
application/toml toml
application/vnd.android.package-archive apk
application/vnd.apple.mpegurl m3u8
application/vnd.debian.binary-package deb
application/vnd.ms-excel xls
application/vnd.ms-fontobject eot
application/vnd.ms-powerpoint ppt
application/vnd.oasis.opendocument.presentation odp
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.text odt
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/vnd.rar rar
application/wasm wasm
application/x-7z-compressed 7z
application/x-bzip2 bz2
application/x-sh sh
application/x-tar tar
application/x-xz xz
application/xhtml+xml xhtml xht
application/xml xml xsl xsd
application/zip zip
application/zstd zst
audio/aac aac
audio/flac flac
audio/midi mid midi
audio/mp4 m4a
audio/mpeg mp3
audio/ogg ogg oga opus
audio/wav wav
audio/webm weba
font/collection ttc
font/otf otf
font/ttf ttf
font/woff woff
font/woff2 woff2
image/apng apng
image/avif avif
image/bmp bmp
image/gif gif
image/heic heic
image/heif heif
image/jpeg jpg jpeg jpe jfif
image/jxl jxl
image/png png
image/svg+xml svg
image/tiff tif tiff
image/vnd.adobe.photoshop psd
image/webp webp
image/x-icon ico cur
model/gltf+json gltf
model/gltf-binary glb
text/cache-manifest appcache manifest
text/calendar ics
text/css css
text/csv csv
text/html html htm shtml
text/javascript js mjs cjs jsx ts mts cts tsx
text/markdown md markdown
text/plain txt text log conf ini
text/rtf rtf
text/tab-separated-values tsv
text/vcard vcf
text/vtt vtt
text/yaml yaml yml
video/3gpp 3gp
video/mp4 mp4 m4v
video/mpeg mpeg mpg
video/ogg ogv
video/quicktime mov
video/webm webm
video/x-flv flv
video/x-matroska mkv
video/x-msvideo avi
`;

const TYPES: ReadonlyMap<string, string> = readTable();

function readTable(): Map<string, string> {
  const types = new Map<string, string>();
  for (const line of TABLE.trim().split("\n")) {
    const [type = UNKNOWN, ...extensions] = line.split(" ");
    const isText = type.startsWith("text/") || type === "application/json";
    const full = isText ? `${type};charset=utf-8` : type;
    for (const extension of extensions) types.set(extension, full);
  }
  return types;
}

/**
 * The media type of a file, by the extension of its name; upper and lower case
 * are the same. Text is declared to be UTF-8.
 *
 * @returns `application/octet-stream` for an unknown extension, for none, and
 * for a name that only begins with a dot.
 */
export function mediaTypeOf(path: string): string {
  const dot = path.lastIndexOf(".");
  const nameStart = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1;
  if (dot <= nameStart) return UNKNOWN;
  return TYPES.get(path.slice(dot + 1).toLowerCase()) ?? UNKNOWN;
}
