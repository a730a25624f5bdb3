# frozen_string_literal: true

ActiveRecord::Schema.define(version: 1) do
  create_table :users, force: true do |t|
    t.string :email, null: false
    t.string :encrypted_password, null: false
    t.timestamps
  end
end
