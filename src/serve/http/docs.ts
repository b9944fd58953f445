/** `/docs`: Swagger UI from our own files, over `/openapi.json`. Nothing is fetched from elsewhere. */

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import express, { type Router } from 'express';
import helmet from 'helmet';
import { AppError } from '../../domain/errors.ts';

const assets = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;
const assetFolder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

// Relative addresses: the page works behind a prefix too.
const page = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>nextbest API</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
  </head>
  <body>
    <div id="api"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

const startScript = `window.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#api',
  deepLinking: true,
  // The badge of a validator elsewhere is neither wanted nor allowed.
  validatorUrl: null,
});
`;

const policy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    // Swagger UI sets style attributes.
    'style-src': ["'self'", "'unsafe-inline'"],
    'img-src': ["'self'", 'data:'],
    'connect-src': ["'self'"],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
  },
});

export function docsRouter(): Router {
  const router = express.Router();
  router.use((req, res, next) => {
    if (req.method === 'GET' || req.method === 'HEAD') return next();
    res.setHeader('allow', 'GET, HEAD');
    throw new AppError('METHOD_NOT_ALLOWED', { public: 'This takes GET, HEAD.' });
  });
  router.use(policy);
  router.get('/', (req, res) => {
    // With a slash at the end the page's relative addresses would point below /docs/docs.
    if (req.originalUrl.split('?')[0]?.endsWith('/')) res.redirect(301, '../docs');
    else res.type('html').send(page);
  });
  router.get('/start.js', (_req, res) => {
    res.type('js').send(startScript);
  });
  for (const asset of assets) {
    router.get(`/${asset}`, (_req, res) => {
      res.sendFile(asset, { root: assetFolder, maxAge: '1d' });
    });
  }
  return router;
}
