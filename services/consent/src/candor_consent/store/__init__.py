"""SQL ⇄ domain: the register of purposes and notices, the record of persons' acts."""
