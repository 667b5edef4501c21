// A worker that reads QR codes in pictures, so that the page goes on meanwhile.

importScripts('../lib/jsqr.js');

self.onmessage = ({ data: { pixels, width, height } }) => {
  const found = self.jsQR(pixels, width, height, { inversionAttempts: 'dontInvert' });
  self.postMessage(found?.data || null);
};
