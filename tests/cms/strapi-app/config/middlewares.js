module.exports = [
  'strapi::logger',
  'strapi::errors',
  'strapi::security',
  'strapi::cors',
  'strapi::favicon',
  'strapi::query',
  'strapi::body',
  'strapi::public',
];
