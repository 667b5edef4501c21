package webtest

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// picture is what is seen of a page.
func (p *tab) picture() image.Image {
	p.t.Helper()
	var data []byte
	p.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		answer, err := cdp.Call(ctx, s, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: "png"})
		data = answer.Data
		return err
	}))
	seen, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		p.t.Fatal(err)
	}
	return seen
}

// film writes a film of one picture for the browser's fake camera: YUV4MPEG2, some
// frames of 640 × 480, the picture in the middle as a camera would see a phone that is
// held up to it.
func film(t *testing.T, path string, seen image.Image) {
	t.Helper()
	const width, height, frames = 640, 480, 5
	bounds := seen.Bounds()
	scale := float64(bounds.Dy()) / height
	left := (width - float64(bounds.Dx())/scale) / 2
	luma := make([]byte, width*height)
	for y := range height {
		for x := range width {
			c := color.Gray{Y: 96} // the counter behind it
			// Each pixel is the mean of what falls on it, as on a sensor.
			if fx := float64(x) - left; fx >= 0 && fx < float64(bounds.Dx())/scale {
				sum, n := 0, 0
				for sy := int(float64(y) * scale); sy < int(float64(y+1)*scale) && sy < bounds.Dy(); sy++ {
					for sx := int(fx * scale); sx < int((fx+1)*scale) && sx < bounds.Dx(); sx++ {
						sum += int(color.GrayModel.Convert(seen.At(bounds.Min.X+sx, bounds.Min.Y+sy)).(color.Gray).Y)
						n++
					}
				}
				if n > 0 {
					c.Y = byte(sum / n)
				}
			}
			luma[y*width+x] = 16 + byte(int(c.Y)*219/255)
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n", width, height)
	grey := bytes.Repeat([]byte{128}, width*height/2)
	for range frames {
		out.WriteString("FRAME\n")
		out.Write(luma)
		out.Write(grey)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCamera scans the phone's own picture with the till's camera: nobody types
// anything.
func TestCamera(t *testing.T) {
	path := filepath.Join(t.TempDir(), "phone.y4m")
	browser := browse(t, chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", path))
	h := start(t, true)
	p, till := open(t, browser, "phone", phone), open(t, browser, "till", desktop)
	till.enter(h.base, "institution:H43010299001")
	till.fillBill()
	p.enter(h.base, "person:DEMO01")
	p.pressA("link", "女儿")
	p.wait("document.querySelector('[data-testid=code]')?.naturalWidth > 0")
	film(t, path, p.picture())
	till.press("用摄像头扫")
	till.sees("就诊人 李**")
	till.press("结算 F8")
	till.sees("结算成功")
	p.sees("结算完成")
}

// detector stands in for a part of the browser that headless Chromium on Linux lacks: the
// shape detection's BarcodeDetector. It reads what the test put there, from a video that
// runs, as the real one would, and it notes which formats it was asked for. The page's
// own way with it is what is tested; that a real one reads a picture is not.
const detector = `window.BarcodeDetector = class {
  static getSupportedFormats() { return Promise.resolve(['aztec', 'code_128', 'qr_code']); }
  constructor({ formats }) { window.askedFor = formats.join(' '); }
  async detect(video) {
    if (!(video instanceof HTMLVideoElement) || !video.videoWidth) throw new TypeError('no picture');
    return window.held ? [{ rawValue: 'something else' }, { rawValue: window.held }].slice(window.turn++ % 2) : [];
  }
};
window.turn = 0;
window.Worker = class { constructor() { throw new Error('jsQR was fetched though the browser reads codes itself'); } };`

// TestDetector scans with the browser's own detector where there is one: what is no code
// is passed over, and no decoder of ours is fetched.
func TestDetector(t *testing.T) {
	browser := browse(t, chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true))
	h := start(t, true)
	p, till := open(t, browser, "phone", phone), open(t, browser, "till", desktop)
	till.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		_, err := cdp.Call(ctx, s, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: detector})
		return err
	}))
	till.enter(h.base, "institution:H43010299001")
	till.fillBill()
	p.enter(h.base, "person:DEMO01")
	p.pressA("link", "女儿")
	digits := p.shownDigits()
	till.press("用摄像头扫")
	till.wait("document.querySelector('.camera video')?.videoWidth > 0")
	js[bool](till, "(window.held = %s, true)", digits)
	till.sees("就诊人 李**")
	till.wait("!document.querySelector('.camera')")
	if formats := js[string](till, "window.askedFor"); formats != "code_128 qr_code" {
		t.Errorf("the detector was asked for %q", formats)
	}
}
