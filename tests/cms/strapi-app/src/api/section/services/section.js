module.exports = require('@strapi/strapi').factories.createCoreService('api::section.section');
