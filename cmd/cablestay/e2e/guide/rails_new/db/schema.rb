# frozen_string_literal: true

ActiveRecord::Schema.define(version: 1) do
  create_table :accounts, force: true do |t|
    t.string :name
  end

  create_table :organizations, force: true do |t|
    t.string :name
  end

  create_table :users, force: true do |t|
    t.string :name
    t.string :avatar_url
    t.boolean :active, default: true, null: false
    t.references :organization
    t.references :account
  end

  create_table :chat_rooms, force: true do |t|
    t.string :name
  end

  create_table :members, force: true do |t|
    t.references :chat_room, null: false
    t.references :user, null: false
  end

  create_table :messages, force: true do |t|
    t.references :chat_room, null: false
    t.references :user, null: false
    t.text :content, null: false
    t.string :message_type, default: "text", null: false
    t.datetime :read_at
    t.timestamps
  end

  create_table :notifications, force: true do |t|
    t.references :sender, null: false
    t.references :recipient, null: false
    t.string :title
    t.string :body
    t.string :notification_type
    t.datetime :read_at
    t.timestamps
  end

  create_table :blocked_ips, force: true do |t|
    t.string :ip_address
  end
end
