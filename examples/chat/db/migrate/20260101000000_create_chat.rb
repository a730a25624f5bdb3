# frozen_string_literal: true

class CreateChat < ActiveRecord::Migration[6.1]
  def change
    create_table :accounts do |t|
      t.string :name, null: false
      t.timestamps
    end

    create_table :organizations do |t|
      t.references :account, null: false, foreign_key: true
      t.string :name, null: false
      t.timestamps
    end

    create_table :users do |t|
      t.references :account, null: false, foreign_key: true
      t.references :organization, foreign_key: true
      t.string :name, null: false
      t.string :email, null: false, index: { unique: true }
      t.string :password_digest, null: false
      t.string :avatar_url
      t.boolean :active, null: false, default: true
      t.boolean :admin, null: false, default: false
      t.timestamps
    end

    create_table :chat_rooms do |t|
      t.string :name, null: false
      t.string :topic
      t.timestamps
    end

    create_table :members do |t|
      t.references :chat_room, null: false, foreign_key: true
      t.references :user, null: false, foreign_key: true
      t.timestamps
      t.index [ :chat_room_id, :user_id ], unique: true
    end

    create_table :messages do |t|
      t.references :chat_room, null: false, foreign_key: true
      t.references :user, null: false, foreign_key: true
      t.text :content, null: false
      t.string :message_type, null: false, default: "text"
      t.datetime :read_at
      t.timestamps
    end

    create_table :notifications do |t|
      t.references :recipient, null: false, foreign_key: { to_table: :users }
      t.references :sender, null: false, foreign_key: { to_table: :users }
      t.string :title, null: false
      t.text :body
      t.string :notification_type, null: false, default: "info"
      t.datetime :read_at
      t.timestamps
    end

    create_table :blocked_ips do |t|
      t.string :ip_address, null: false, index: { unique: true }
      t.timestamps
    end
  end
end
