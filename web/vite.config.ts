import { defineConfig } from 'vite';

/** Pages are built to `dist/web/<page>/index.html`, their scripts and styles to `dist/web/assets`. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
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
