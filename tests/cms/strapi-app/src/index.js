// The token of the tests, made at the first start and written where the script says.
const fs = require('fs');

module.exports = {
  register() {},
  async bootstrap({ strapi }) {
    // Otherwise Strapi stores another picture than it was sent.
    const settings = { sizeOptimization: false, responsiveDimensions: true, autoOrientation: false };
    await strapi.plugin('upload').service('upload').setSettings(settings);
    const file = process.env.TOKEN_FILE;
    if (fs.existsSync(file)) return;
    const service = strapi.service('admin::api-token');
    const token = await service.create({ name: 'sangtrang', description: '', type: 'full-access', lifespan: null });
    fs.writeFileSync(file, token.accessKey);
  },
};
