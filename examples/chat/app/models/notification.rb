# frozen_string_literal: true

class Notification < ApplicationRecord
  belongs_to :recipient, class_name: "User"
  belongs_to :sender, class_name: "User"

  validates :title, presence: true, length: { maximum: 200 }
  validates :notification_type, inclusion: { in: %w[info mention alert] }

  scope :unread, -> { where(read_at: nil) }

  def as_broadcast
    {
      id: id,
      title: title,
      body: body,
      notification_type: notification_type,
      sender_id: sender_id,
      sender_name: sender.name,
      read_at: read_at&.iso8601,
      created_at: created_at.iso8601
    }
  end
end
