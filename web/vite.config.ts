import { defineConfig } from 'vite';

/** Pages are built to `dist/web/<page>/index.html`, their scripts and styles to `dist/web/assets`. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  // `npx vite web` serves the page at /phone/ beside a gateway that runs with its usual ports.
  server: {
    proxy: {
      '/config.json': 'http://127.0.0.1:8080',
      '/api': 'http://127.0.0.1:8080',
      '/ws': { target: 'ws://127.0.0.1:8080', ws: true },
    },
  },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // A strict Content-Security-Policy allows no data: URLs and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: true,
    rolldownOptions: { input: { phone: 'phone/index.html' } },
  },
});
