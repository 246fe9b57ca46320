module.exports = require('@strapi/strapi').factories.createCoreRouter('api::section.section');
