// Reading a code by camera: the browser's own detector, else jsQR in a worker.

import { html, Notice, useEffect, useRef, useState } from '../ui.js';
import { t } from '../text.js';

const PAUSE = 120; // ms between two looks

// reader returns a function from a video to what is read, or null.
async function reader() {
  if ('BarcodeDetector' in window) {
    const known = await BarcodeDetector.getSupportedFormats();
    if (known.includes('qr_code')) {
      const detector = new BarcodeDetector({ formats: known.filter((f) => ['qr_code', 'code_128'].includes(f)) });
      return { read: async (video) => (await detector.detect(video))[0]?.rawValue ?? null, end() {} };
    }
  }
  const worker = new Worker(new URL('./decoder.js', import.meta.url));
  const canvas = document.createElement('canvas');
  const paper = canvas.getContext('2d', { willReadFrequently: true });
  const read = (video) => new Promise((tell) => {
    const scale = Math.min(1, 800 / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    paper.drawImage(video, 0, 0, canvas.width, canvas.height);
    const image = paper.getImageData(0, 0, canvas.width, canvas.height);
    worker.onmessage = ({ data }) => tell(data);
    worker.postMessage({ pixels: image.data, width: image.width, height: image.height }, [image.data.buffer]);
  });
  return { read, end: () => worker.terminate() };
}

// Camera looks until onCode takes what it read.
export function Camera({ onCode }) {
  const video = useRef();
  const [trouble, set] = useState('');
  useEffect(() => {
    let stream, decoder, ended = false;
    const end = () => {
      ended = true;
      stream?.getTracks().forEach((track) => track.stop());
      decoder?.end();
    };
    (async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } }, audio: false });
      } catch (error) {
        set(error.name === 'NotAllowedError' ? 'camera.refused' : 'camera.none');
        return;
      }
      decoder = await reader();
      if (ended) {
        end();
        return;
      }
      video.current.srcObject = stream;
      await video.current.play();
      while (!ended) {
        const text = video.current?.videoWidth ? await decoder.read(video.current) : null;
        if (text && !ended && onCode(text)) {
          end();
          return;
        }
        await new Promise((done) => setTimeout(done, PAUSE));
      }
    })().catch(() => ended || set('camera.none'));
    return end;
  }, []);
  if (trouble) return html`<${Notice} kind="bad">${t(trouble)}<//>`;
  return html`<div class="camera"><video ref=${video} muted playsinline aria-label=${t('camera.alt')}></video><span class="aim" aria-hidden="true"></span></div>`;
}
